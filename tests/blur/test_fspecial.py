"""fspecial kernels against golden values written by GNU Octave (tests/golden/make_fspecial.m) and against MATLAB's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from blurlab.blur import fspecial_disk, fspecial_motion, fspecial_motion_psf, pad_to_odd, taps_psf

GOLDEN = Path(__file__).parents[1] / "golden" / "fspecial.csv"


def golden() -> list[tuple[str, float, float, Tensor]]:
    cases = []
    for line in GOLDEN.read_text().splitlines():
        name, first, second, rows, cols, *values = line.split(",")
        kernel = torch.tensor([float(value) for value in values], dtype=torch.float64).view(int(rows), int(cols))
        cases.append((name, float(first), float(second), kernel))
    return cases


def named(name: str) -> list[tuple[float, float, Tensor]]:
    return [tuple(case) for found, *case in golden() if found == name]  # type: ignore[misc]


@pytest.mark.parametrize(("length", "angle", "expected"), named("motion"))
def test_motion_follows_matlabs_rule(length: float, angle: float, expected: Tensor) -> None:
    psf = fspecial_motion(length, angle)[0, 0]
    assert psf.shape == expected.shape
    assert torch.allclose(psf, expected, atol=1e-9, rtol=0)
    square = fspecial_motion_psf(torch.tensor([length]).double(), torch.tensor([angle]).double(), 11)[0, 0]
    assert torch.allclose(square, pad_to_odd(expected, 11), atol=1e-9, rtol=0)


def test_motion_of_3_at_45_degrees_is_what_matlab_printed() -> None:
    # published: mathworks.com/matlabcentral/answers/307822
    printed = torch.tensor([[0, 0.0754, 0.1883], [0.0754, 0.3215, 0.0754], [0.1883, 0.0754, 0]])
    assert torch.allclose(fspecial_motion(3, 45)[0, 0].float(), printed, atol=5e-5)


@pytest.mark.parametrize(("radius", "_", "expected"), [*named("disk"), *named("octave_disk")])
def test_disk(radius: float, _: float, expected: Tensor) -> None:
    psf = fspecial_disk(radius)[0, 0]
    assert psf.shape == expected.shape
    assert torch.allclose(psf, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize(("length", "angle", "expected"), named("octave_motion"))
def test_octaves_motion_along_the_grid_is_taps(length: float, angle: float, expected: Tensor) -> None:
    taps = taps_psf(torch.tensor([length]).double(), expected.shape[-1])[0, 0]
    assert torch.allclose(taps.T if angle == 90 else taps, expected, atol=1e-9, rtol=0)
    if length % 2:
        assert torch.allclose(
            pad_to_odd(fspecial_motion(length, angle)[0, 0], len(expected)), expected, atol=1e-9, rtol=0
        )
