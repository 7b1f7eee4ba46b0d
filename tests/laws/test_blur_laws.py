"""Every family obeys the laws; a family that breaks one is found out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.blur import (
    AnisotropicGaussian,
    BlurFamily,
    Box,
    Defocus,
    FspecialDisk,
    FspecialMotion,
    Gaussian,
    Mixture,
    Motion,
    NoBlur,
    Recorded,
    Taps,
    Trajectory,
    check_family,
)

FAMILIES: dict[str, BlurFamily] = {
    "none": NoBlur(),
    "none_5": NoBlur(size=5),
    "gaussian": Gaussian([0, 2.5]),
    "gaussian_cut": Gaussian([0.3, 2.5], size=7),
    "gaussian_anisotropic": AnisotropicGaussian([0.3, 2], [0.3, 1], [0, 180]),
    "motion": Motion([0, 10], [0, 180]),
    "motion_horizontal": Motion([1, 10], [0, 0]),
    "motion_vertical": Motion([1, 10], 90),
    "motion_diagonal": Motion([1, 10], 45),
    "motion_none": Motion(0, 0),
    "defocus": Defocus([0, 5]),
    "defocus_edges": Defocus(2.5),
    "box": Box([0, 10]),
    "taps": Taps([4, 6, 8, 10]),
    "taps_binary": Taps(20),
    "taps_alone": Taps([3, 4], include_none=False),
    "fspecial_motion": FspecialMotion([0, 10], [0, 180]),
    "fspecial_motion_horizontal": FspecialMotion([1, 10], 0),
    "fspecial_disk": FspecialDisk([0.5, 7.3]),
    "trajectory": Trajectory(),
    "trajectory_uncut": Trajectory([0.1, 1], [0, 12], size=15),
    "trajectory_calm": Trajectory(0.5, [1, 20], anxiety=0, size=13),
    "recorded": Recorded(torch.rand(7, 4, generator=torch.Generator().manual_seed(0))),
    "recorded_several": Mixture({"a": Recorded(torch.eye(3)), "b": Recorded(torch.ones(2, 6))}, size=9),
    "mixture": Mixture({"none": NoBlur(), "defocus": Defocus([0.5, 5]), "motion": Motion([1, 10], 0)}),
    "mixture_weighted": Mixture({"taps": Taps(4, include_none=False), "gaussian": Gaussian(1.0)}, weights=[3, 1]),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_family_obeys_the_laws(name: str) -> None:
    check_family(FAMILIES[name], generator=torch.Generator().manual_seed(3))


class Broken(Defocus):
    """A disk with one law broken."""

    def __init__(self, fault: str) -> None:
        super().__init__([1, 4])
        self.fault = fault

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        psf = super().psf(params, kind)
        return {
            "sum": psf * 1.01,
            "negative": psf - 2 * psf[..., :1, :1] - 1e-3,
            "off its centre": psf.roll(1, -1),
            "gradient": psf + (params * 0).sqrt().sum() * 0,
            "float64": psf.float(),
            "odd": psf[..., 1:, 1:],
        }[self.fault]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("sum", "sum is off 1"),
        ("negative", "negative value"),
        ("off its centre", "off its centre"),
        ("gradient", "gradient"),
        ("float64", "float64 parameters gave"),
        ("odd", "kernels are"),
    ],
)
def test_a_broken_law_is_named(fault: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_family(Broken(fault), generator=torch.Generator().manual_seed(3))


class Labelled(Defocus):
    """A disk whose labels are wrong."""

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        kind, params = super().draw(n, generator=generator)
        return kind, params * 0.5


def test_labels_outside_their_bounds_are_named() -> None:
    with pytest.raises(AssertionError, match="leaves its bounds"):
        check_family(Labelled([2, 4]), generator=torch.Generator().manual_seed(3))
