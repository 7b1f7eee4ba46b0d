"""The elliptic Gaussian: one of two descriptions of a kernel, its strength, its angle, and its other form."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from blurlab.blur import (
    AnisotropicGaussian,
    BlurFamily,
    CorrelatedGaussian,
    Mixture,
    Motion,
    NoBlur,
    OneParameterStrength,
    Recorded,
    StrengthFamily,
    Trajectory,
    strength_of,
)

FAMILY = AnisotropicGaussian([0.3, 2.5], [0.3, 2.5], [0, 180])


def drawn(family: BlurFamily, n: int = 400) -> Tensor:
    return family.draw(n, generator=torch.Generator().manual_seed(0))[1]


def test_the_first_sigma_is_the_larger_one() -> None:
    params = drawn(FAMILY)
    assert (params[:, 0] >= params[:, 1]).all() and (params[:, 0] > 1.2 * params[:, 1]).any()
    assert params[:, 2].min() < 20 and params[:, 2].max() > 160


def test_the_other_description_of_a_kernel_becomes_the_one_that_is_drawn() -> None:
    params = drawn(FAMILY).double()
    other = torch.stack([params[:, 1], params[:, 0], params[:, 2] + 90], 1)
    torch.testing.assert_close(FAMILY.psf(other), FAMILY.psf(params), atol=1e-9, rtol=0)
    off = FAMILY.apart(params, FAMILY.within(other)).abs()
    assert float(off.max()) < 1e-9


@pytest.mark.parametrize(
    "family",
    [
        AnisotropicGaussian([0.3, 2], [0.3, 2], 0),
        AnisotropicGaussian([0.3, 2], [0.3, 2], [0, 60]),
        AnisotropicGaussian([0.3, 0.8], [1, 2], [0, 180]),
    ],
)
def test_where_the_ranges_hold_one_description_both_orders_are_drawn(family: AnisotropicGaussian) -> None:
    params = drawn(family)
    assert (params[:, 0] < params[:, 1]).float().mean() > 0.4
    low, high = torch.tensor(family.bounds).T
    assert ((params >= low) & (params <= high)).all()


def test_an_angle_counts_where_the_ellipse_is_long_enough() -> None:
    params = torch.tensor([[1.5, 1.0, 20.0], [1.4, 1.0, 20.0], [1.0, 1.6, 20.0], [0.4, 0.0, 20.0]])
    assert FAMILY.measurable(params)[:, 2].tolist() == [True, False, True, True]
    assert FAMILY.measurable(params)[:, :2].all()
    line = torch.tensor([[6.0, 20.0], [5.9, 20.0]])
    assert Motion().measurable(line).tolist() == [[True, True], [True, False]]
    mixed = Mixture({"motion": Motion(), "ellipse": FAMILY})
    row = torch.tensor([[7.0, 20.0, math.nan, math.nan, math.nan]])
    assert mixed.measurable(row).tolist() == [[True, True, False, False, False]]


def test_another_strength_keeps_the_shape() -> None:
    params = torch.tensor([[2.0, 0.5, 30.0], [0.0, 0.0, 30.0]])
    other = FAMILY.with_strength(params, torch.tensor([2.0, 1.5]))
    torch.testing.assert_close(other, torch.tensor([[4.0, 1.0, 30.0], [1.5, 1.5, 30.0]]))
    assert torch.equal(FAMILY.with_strength(params[:1], FAMILY.strength_px(params[:1])), params[:1])


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 130.0])
def test_a_correlation_describes_the_same_kernels(angle: float) -> None:
    long, short, turn = 1.9, 0.7, math.radians(angle)
    across = math.hypot(long * math.cos(turn), short * math.sin(turn))
    up = math.hypot(long * math.sin(turn), short * math.cos(turn))
    together = (long**2 - short**2) * math.sin(turn) * math.cos(turn) / (across * up)
    ellipse = FAMILY.psf(torch.tensor([[long, short, angle]], dtype=torch.float64))
    family = CorrelatedGaussian([0, 2], [0, 2], [-0.9, 0.9], size=FAMILY.size)
    other = family.psf(torch.tensor([[across, up, together]], dtype=torch.float64))
    torch.testing.assert_close(other, ellipse, atol=1e-12, rtol=0)


def test_a_strength_is_a_matter_of_the_type() -> None:
    assert isinstance(Motion(), OneParameterStrength)
    for family in (FAMILY, NoBlur(), Trajectory()):
        assert isinstance(family, StrengthFamily) and not isinstance(family, OneParameterStrength)
    for family in (CorrelatedGaussian(), Recorded(torch.ones(3, 3))):
        assert not isinstance(family, StrengthFamily)
        assert strength_of(family, drawn(family, 3)).isnan().all()


def test_in_a_mixture_each_kind_has_its_own_strength_or_none() -> None:
    family = Mixture({"motion": Motion([1, 10], 0), "gaussian": CorrelatedGaussian()})
    kind = torch.tensor([0, 1])
    params = torch.tensor([[4.0, 0.0, math.nan, math.nan, math.nan], [math.nan, math.nan, 1.0, 2.0, -0.3]])
    strength = family.strength_px(params, kind)
    assert strength[0] == 4 and strength[1].isnan()
    changed = family.with_strength(params, torch.tensor([7.0, 7.0]), kind)
    assert changed[0, 0] == 7 and torch.equal(changed[1, 2:], params[1, 2:])
    with pytest.raises(ValueError, match="gaussian has no strength; give its parameters"):
        family.at_strength(torch.tensor([7.0, 7.0]), kind)
    weak = family.with_weak_share(0.5)
    drawn_kind, drawn_params = weak.draw(2000, generator=torch.Generator().manual_seed(1))
    weight = weak.importance(drawn_params, drawn_kind)
    assert (weight[drawn_kind == 1] == 1).all() and (weight[drawn_kind == 0] != 1).all()
