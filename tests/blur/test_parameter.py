"""A parameter: its range, its sign, its period, and whether there is anything to estimate."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from blurlab.blur import CorrelatedGaussian, Motion, NoBlur, Parameter, Trajectory, length, line_angle, parameter


def test_a_range_or_one_number_makes_a_parameter() -> None:
    radius = length("radius_px", [1, 5])
    assert (radius.low, radius.high, radius.unit, radius.is_length, radius.is_free) == (1.0, 5.0, "px", True, True)
    fixed = parameter("share", "", 0.5)
    assert (fixed.low, fixed.high, fixed.is_length, fixed.is_free, fixed.middle) == (0.5, 0.5, False, False, 0.5)


def test_the_largest_magnitude_counts_whatever_its_sign() -> None:
    assert parameter("tilt", "waves", [-3, 2], signed=True).largest == 3
    assert parameter("tilt", "waves", [-1, 2], signed=True).largest == 2


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: length("radius_px", [-1, 2]), ValueError, r"radius_px must not be negative, got \[-1, 2\]"),
        (lambda: length("radius_px", [3, 2]), ValueError, r"finite low <= high, got \[3, 2\]"),
        (lambda: parameter("tilt", "", [float("-inf"), 2], signed=True), ValueError, "finite low <= high"),
        (lambda: length("radius_px", "12"), TypeError, "must be a number or"),
        (lambda: length("radius_px", [1, True]), TypeError, "must be a number or"),
        (lambda: Parameter("turn_deg", "deg", 0, 9, period=0.0), ValueError, "the period of turn_deg must be positive"),
        (lambda: CorrelatedGaussian(correlation=[-1, 0]), ValueError, r"between -1 and 1, got \[-1, 0\]"),
        (lambda: CorrelatedGaussian().psf(torch.tensor([[1.0, 1.0, -1.0]])), ValueError, r"between -1 and 1, got \[-1"),
        (lambda: CorrelatedGaussian().psf(torch.tensor([[1.0, -1.0, 0.0]])), ValueError, "sigma_y_px must not be neg"),
    ],
)
def test_a_wrong_range_is_named(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_values_without_a_period_stop_at_the_ends() -> None:
    tilt = parameter("tilt", "", [-3, 2], signed=True)
    assert tilt.within(torch.tensor([-4.0, 1.0, 5.0])).tolist() == [-3.0, 1.0, 2.0]
    assert tilt.apart(torch.tensor([-3.0]), torch.tensor([2.0])).item() == 5.0


@pytest.mark.parametrize(
    ("low", "high", "values", "brought"),
    [(0, 60, [-10.0, 61.0, 30.0], [50.0, 1.0, 30.0]), (10, 30, [75.0, 1.0, -25.0], [15.0, 10.0, 30.0])],
)
def test_values_with_a_period_go_round(low: float, high: float, values: list[float], brought: list[float]) -> None:
    turn = Parameter("turn_deg", "deg", low, high, period=60.0, signed=True)
    assert turn.within(torch.tensor(values)).tolist() == brought
    assert turn.goes_round == (low == 0)
    assert turn.apart(torch.tensor([58.0, 1.0]), torch.tensor([3.0, 59.0])).tolist() == [5.0, -2.0]


def test_a_family_is_made_of_its_parameters() -> None:
    family = Motion([1, 10], [-90, 90])
    assert family.names == ("length_px", "angle_deg") and family.units == ("px", "deg")
    assert family.bounds == ((1.0, 10.0), (-90.0, 90.0)) and family.free == [0, 1] and Motion(4, [0, 9]).free == [1]
    assert NoBlur().parameters == ()
    scaled = CorrelatedGaussian().scaled(torch.tensor([[1.0, 2.0, -0.5]]), 0.5)
    assert scaled.tolist() == [[0.5, 1.0, -0.5]]


def test_what_no_image_tells_is_not_free() -> None:
    seed = Trajectory().parameters[2]
    assert seed.name == "path_seed" and seed.is_hidden and not seed.is_free
    known = Trajectory(path_seed=7).parameters[2]
    assert not known.is_hidden and not known.is_free
    assert line_angle("angle_deg", [0, 180]).is_free
