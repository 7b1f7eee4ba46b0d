"""Every family obeys the laws; a family that breaks one is found out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from fast_set import slow_where
from torch import Tensor

from blurlab.blur import (
    AnisotropicGaussian,
    BlurFamily,
    Box,
    CorrelatedGaussian,
    Defocus,
    Field,
    FspecialDisk,
    FspecialMotion,
    Gaussian,
    GPTrajectory,
    Mixture,
    Motion,
    NoBlur,
    OddShake,
    Recorded,
    Taps,
    Trajectory,
    Zernike,
    ZernikeField,
    check_family,
    operator_hull,
)

FAMILIES: dict[str, BlurFamily] = {
    "none": NoBlur(),
    "none_5": NoBlur(size=5),
    "gaussian": Gaussian([0, 2.5]),
    "gaussian_cut": Gaussian([0.3, 2.5], size=7),
    "gaussian_anisotropic": AnisotropicGaussian([0.3, 2], [0.3, 1], [0, 180]),
    "gaussian_anisotropic_wide_first": AnisotropicGaussian([0.3, 1], [0.3, 2], [-90, 30]),
    "gaussian_correlated": CorrelatedGaussian([0.3, 2], [0.3, 1], [-0.9, 0.4]),
    "gaussian_correlated_cut": CorrelatedGaussian(2, [1, 2], [-0.8, 0.8], size=7),
    "motion": Motion([0, 10], [0, 180]),
    "motion_about_horizontal": Motion([1, 10], [-90, 90]),
    "motion_below_horizontal": Motion([1, 10], [-60, -20]),
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
    "gp_trajectory": GPTrajectory(17),
    "gp_trajectory_in_a_larger_kernel": GPTrajectory([1, 9], size=13),
    "odd_shake": OddShake(1.0, [8, 40]),
    "recorded": Recorded(torch.rand(7, 4, generator=torch.Generator().manual_seed(0))),
    "recorded_several": Mixture({"a": Recorded(torch.eye(3)), "b": Recorded(torch.ones(2, 6))}, size=9),
    "field": Field(Defocus([0.5, 2]), growth=[0.5, 3]),
    "field_of_lines": Field(Motion([1, 4], [0, 180]), growth=2.0, kernels=3, size=13),
    "zernike": Zernike(pixel_nm=100),
    "zernike_no_defocus": Zernike([0.1, 0.05, 0.1], [7, 11, 3], "osa", pixel_nm=80, size=15, samples=40),
    "zernike_odd_orders": Zernike(0.1, [8, 10], na=0.8, refractive_index=1, pixel_nm=120, size=21),
    "zernike_field": ZernikeField(Zernike(0.1, [4, 7, 8], pixel_nm=100)),
    "zernike_field_in_one_way": ZernikeField(
        Zernike(0.05, [4, 5, 7, 8], pixel_nm=80, size=21), [0, 0.1], 0.0, 0.0, [0, 0.05], terms=4
    ),
    "operator_hull": operator_hull(ZernikeField(Zernike(0.1, pixel_nm=100)), corners=4),
    "mixture": Mixture({"none": NoBlur(), "defocus": Defocus([0.5, 5]), "motion": Motion([1, 10], 0)}),
    "mixture_with_and_without_strength": Mixture({"motion": Motion(), "gaussian_correlated": CorrelatedGaussian()}),
    "mixture_weighted": Mixture({"taps": Taps(4, include_none=False), "gaussian": Gaussian(1.0)}, weights=[3, 1]),
}


@pytest.mark.parametrize("name", slow_where([*FAMILIES], ("trajectory", "trajectory_calm").__contains__))
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


class Skewed(CorrelatedGaussian):
    """A signed family with one promise of its parameters broken."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__([0.3, 2], 0.5, [-0.9, 0.1])
        if fault == "period":
            self.parameters = (*self.parameters[:2], replace(self.parameters[2], period=0.05))

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        if self.fault == "size" and bool((params[:, 2].abs() >= 0.9).any()):
            raise ValueError("does not fit")
        return super().psf(params, kind)

    def within(self, params: Tensor) -> Tensor:
        return super().within(params) + (self.fault == "within") * 0.01

    def measurable(self, params: Tensor) -> Tensor:
        return super().measurable(params)[:, : 2 if self.fault == "measurable" else 3]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("period", "a period of correlation more changes the kernel"),
        ("size", "at the ends of the ranges cannot be made: does not fit"),
        ("within", "changes what the family draws"),
        ("measurable", "no mask"),
    ],
)
def test_a_broken_promise_of_a_parameter_is_named(fault: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_family(Skewed(fault), generator=torch.Generator().manual_seed(3))


class Unstable(Motion):
    """A line whose strength is changed on the way to parameters."""

    def with_strength(self, params: Tensor, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        return super().with_strength(params, strength_px + 0.1)


def test_a_strength_that_does_not_come_back_is_named() -> None:
    with pytest.raises(AssertionError, match="do not invert each other"):
        check_family(Unstable(), generator=torch.Generator().manual_seed(3))


class Labelled(Defocus):
    """A disk whose labels are wrong."""

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        kind, params = super().draw(n, generator=generator)
        return kind, params * 0.5


def test_labels_outside_their_bounds_are_named() -> None:
    with pytest.raises(AssertionError, match="leaves its bounds"):
        check_family(Labelled([2, 4]), generator=torch.Generator().manual_seed(3))
