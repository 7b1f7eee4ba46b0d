"""One head for kind, parameters and spread: what the outputs mean, and what the loss asks for."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from truths import truth

from blurlab.blur import CorrelatedGaussian, Defocus, Mixture, Motion, NoBlur, Trajectory
from blurlab.head import BlurTarget

FAMILY = Mixture({"none": NoBlur(), "motion": Motion([3, 20], [0, 180]), "defocus": Defocus([1, 8])})
ANSWER = BlurTarget(FAMILY)
LENGTH, ANGLE, RADIUS = 3, 5, 8
"""First outputs of the three parameters."""


def outputs(length: float = 0.0, angle_deg: float = 0.0, radius: float = 0.0, log_spread: float = 0.0) -> Tensor:
    out = torch.zeros(1, len(ANSWER))
    out[0, LENGTH], out[0, RADIUS] = length, radius
    double = 2 * math.radians(angle_deg)
    out[0, ANGLE], out[0, ANGLE + 1] = math.cos(double), math.sin(double)
    out[0, [LENGTH + 1, ANGLE + 2, RADIUS + 1]] = log_spread
    return out


def test_names_say_what_each_output_is() -> None:
    assert ANSWER.names[:3] == FAMILY.kinds
    assert ANSWER.names[LENGTH] == "motion.length_px" and ANSWER.names[ANGLE + 1] == "motion.angle_deg sin"
    assert len(ANSWER) == 3 + 2 + 3 + 2


@pytest.mark.parametrize("angle", [0.0, 30.0, 89.0, 91.0, 179.0])
def test_outputs_at_the_target_are_read_as_the_parameters(angle: float) -> None:
    found = ANSWER.read(outputs(length=2 * (5 - 3) / 17 - 1, angle_deg=angle, radius=1.0, log_spread=-2.0))
    torch.testing.assert_close(found.params, torch.tensor([[5.0, angle, 8.0]]), rtol=1e-4, atol=1e-3)
    expected = [math.exp(-2) * 8.5, math.exp(-2) * 90 / math.pi, math.exp(-2) * 3.5]
    torch.testing.assert_close(found.spread, torch.tensor([expected]), rtol=1e-4, atol=1e-4)


def test_estimates_stay_within_the_ranges() -> None:
    found = ANSWER.read(outputs(length=7.0, radius=-9.0))
    assert found.params[0, 0] == 20 and found.params[0, 2] == 1


def test_a_fixed_parameter_has_no_output_and_keeps_its_value() -> None:
    answer = BlurTarget(Mixture({"motion": Motion([1, 10], 30), "none": NoBlur()}))
    found = answer.read(torch.zeros(2, len(answer)))
    assert len(answer) == 4 and found.params[:, 1].tolist() == [30, 30] and found.spread[:, 1].tolist() == [0, 0]


def test_what_no_image_tells_has_no_output_and_is_not_read() -> None:
    answer = BlurTarget(Trajectory([0.2, 1], [4, 20], size=21))
    assert answer.names == ("trajectory", "exposure", "exposure log spread", "length_px", "length_px log spread")
    found = answer.read(torch.zeros(2, len(answer)))
    torch.testing.assert_close(found.params[:, :2], torch.tensor([[0.6, 12.0]] * 2))
    assert found.params[:, 2].isnan().all() and found.spread[:, 2].isnan().all()


def test_a_signed_parameter_is_learned_over_its_whole_range() -> None:
    answer = BlurTarget(CorrelatedGaussian(1.0, 1.0, [-0.8, 0.4]))
    out = torch.tensor([[0.0, -1.0, -2.0], [0.0, 0.0, -2.0], [0.0, 1.0, -2.0]])
    found = answer.read(out)
    torch.testing.assert_close(found.params[:, 2], torch.tensor([-0.8, -0.2, 0.4]))
    kind = torch.zeros(3, dtype=torch.long)
    right = answer.loss(out, truth(kind, found.params))
    wrong = answer.loss(out, truth(kind, found.params * torch.tensor([1.0, 1.0, -1.0])))
    assert (wrong > right).all()


def loss(out: Tensor, kind: int, params: list[float]) -> Tensor:
    return ANSWER.loss(out, truth(torch.tensor([kind]), torch.tensor([params])))


def test_only_the_true_kinds_parameters_count() -> None:
    out = outputs(radius=0.3, length=0.9).requires_grad_()
    loss(out, 2, [math.nan, math.nan, 4.0]).sum().backward()
    assert out.grad is not None and bool(out.grad.isfinite().all())
    assert not bool(out.grad[0, LENGTH : ANGLE + 3].any()) and bool(out.grad[0, RADIUS : RADIUS + 2].all())


def test_no_blur_costs_the_cross_entropy_alone() -> None:
    out = outputs()
    nothing = [math.nan] * 3
    assert loss(out, 0, nothing).item() == pytest.approx(math.log(3))


def test_an_angle_and_half_a_turn_more_cost_the_same() -> None:
    out = outputs(angle_deg=20)
    assert loss(out, 1, [5.0, 40.0, math.nan]).item() == pytest.approx(
        loss(out, 1, [5.0, 220.0, math.nan]).item(), rel=1e-5
    )


def test_the_spread_is_asked_to_be_the_error() -> None:
    error = 0.2  # in half ranges: a radius of 4.5 px is the middle, 0
    log_spread = torch.tensor(0.0, requires_grad=True)
    for _ in range(400):
        out = outputs(radius=error).clone()
        out[0, RADIUS + 1] = log_spread
        (slope,) = torch.autograd.grad(loss(out, 2, [math.nan, math.nan, 4.5]).sum(), log_spread)
        log_spread = (log_spread - 0.5 * slope).detach().requires_grad_()
    assert float(log_spread.detach().exp()) == pytest.approx(error, rel=0.02)


def test_accuracy_is_the_kinds_alone() -> None:
    out = torch.zeros(2, len(ANSWER))
    out[:, 1] = 1.0
    assert ANSWER.figures(out, truth(torch.tensor([1, 2])))["accuracy"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(("low", "high", "angles"), [(-45, 45, [-40.0, 0.0, 44.0]), (90, 270, [91.0, 180.0, 269.0])])
def test_angles_of_any_range_are_read_as_they_were_drawn(low: float, high: float, angles: list[float]) -> None:
    answer = BlurTarget(Mixture({"motion": Motion([5, 5], [low, high])}))
    double = torch.tensor(angles) * (math.pi / 90)
    out = torch.stack([torch.zeros(3), double.cos(), double.sin(), torch.zeros(3)], 1)
    torch.testing.assert_close(answer.read(out).params[:, 1], torch.tensor(angles), rtol=1e-4, atol=1e-2)
