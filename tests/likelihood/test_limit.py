"""Bounds: against the figures of a separate computation, and against each other."""

from __future__ import annotations

import pytest
import torch

from blurlab.blur import BlurFamily, Defocus, Gaussian, Motion
from blurlab.likelihood.limit import (
    chernoff,
    cramer_rao,
    cramer_rao_known_image,
    divergence,
    noise_at_bsnr,
    power_law,
)
from blurlab.likelihood.whittle import otf_power

GAUSSIAN, DISK, MOTION = Gaussian([0.5, 5], size=31), Defocus([1, 8]), Motion([3, 20], [0, 180])


@pytest.mark.parametrize(
    ("family", "params", "side", "bsnr_db", "known", "nuisances", "image"),
    [  # papers.md, section 7: computed elsewhere, S = 1/f^2; kernels there are not integrated over the pixel
        (GAUSSIAN, [2.0], 32, 30, [0.027], [0.12], [0.0029]),
        (GAUSSIAN, [4.0], 32, 30, [0.079], [0.43], [0.0038]),
        (DISK, [4.0], 32, 30, [0.0151], [0.0152], [0.0042]),
        (MOTION, [10.0, 20.0], 32, 30, [0.031, None], [0.031, None], [0.010, None]),
        (GAUSSIAN, [2.0], 256, 30, [0.0042], [0.0155], [0.0006]),
        (MOTION, [10.0, 20.0], 256, 30, [0.0055, None], [0.0055, None], [None, None]),
    ],
)
def test_bounds_are_those_of_another_computation(
    family: BlurFamily, params: list[float], side: int, bsnr_db: float, known: list, nuisances: list, image: list
) -> None:
    at, spectrum = torch.tensor([params]), power_law(side)
    variance = noise_at_bsnr(otf_power(family.psf(at.double()), side), spectrum, bsnr_db)
    found = (
        cramer_rao(family, at, spectrum, variance)[0],
        cramer_rao(family, at, spectrum, variance, nuisances=True)[0],
        cramer_rao_known_image(family, at, spectrum[None], variance)[0],
    )
    for ours, theirs in zip(found, (known, nuisances, image), strict=True):
        for place, value in enumerate(theirs):
            if value is not None:  # the angle at which theirs were computed is not known
                assert ours[place].item() == pytest.approx(value, rel=0.12)
    assert (found[0] <= found[1] * (1 + 1e-9)).all() and (found[2] < found[0]).all()


@pytest.mark.parametrize("angle", [20.0, 38.0, 71.0])  # not 45: the kernel of pixels has a kink there
def test_the_bound_of_an_angle_is_the_curvature_of_the_divergence(angle: float) -> None:
    family, apart = Motion(10.0, [0, 180]), 0.01
    spectrum = power_law(32).clamp_min(1e-9)
    turns = torch.tensor([[10.0, angle], [10.0, angle + apart]], dtype=torch.float64)
    power = otf_power(family.psf(turns), 32)
    variance = noise_at_bsnr(power[:1], spectrum, 30)
    first, second = (one[None] * spectrum + variance for one in power)
    expected = apart / (2 * divergence(first, second).item()) ** 0.5  # KL = 1/2 I d^2
    assert cramer_rao(family, turns[:1], spectrum, variance)[0, 1].item() == pytest.approx(expected, rel=0.02)


def test_more_pixels_and_less_noise_lower_the_bound() -> None:
    at = torch.tensor([[3.0]])
    bounds = []
    for side, scale in ((32, 1.0), (64, 1.0), (64, 0.1)):
        spectrum = power_law(side)
        variance = scale * noise_at_bsnr(otf_power(DISK.psf(at.double()), side), spectrum, 30)
        bounds.append(float(cramer_rao(DISK, at, spectrum, variance)))
    assert bounds[0] > 1.5 * bounds[1] and bounds[1] > 1.5 * bounds[2]


def test_a_fixed_parameter_has_no_bound() -> None:
    family, at = Motion([3, 20], 20.0), torch.tensor([[10.0, 20.0]])
    spectrum = power_law(32)
    variance = noise_at_bsnr(otf_power(family.psf(at.double()), 32), spectrum, 30)
    bound = cramer_rao(family, at, spectrum, variance)
    assert bound[0, 0] > 0 and bound[0, 1] == 0


def test_distances_between_spectra() -> None:
    first, second = torch.full((1, 8, 5), 2.0, dtype=torch.float64), torch.full((1, 8, 5), 3.0, dtype=torch.float64)
    assert divergence(first, first).item() == 0 and chernoff(first, first).item() == pytest.approx(0)
    expected = 0.5 * 63 * (2 / 3 - 1 - torch.tensor(2 / 3).log().item())
    assert divergence(first, second).item() == pytest.approx(expected)
    assert 0 < chernoff(first, second).item() < min(divergence(first, second).item(), divergence(second, first).item())
    assert chernoff(first, second).item() == pytest.approx(chernoff(second, first).item())
