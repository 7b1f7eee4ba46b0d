"""Kernels of a moving camera: against the motion of points, as a linear map, and motions found from kernels."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from blurlab.blind.camera_motion import (
    CameraMotion,
    MotionBasis,
    back_projected,
    displacement,
    least_squares,
    middles,
    pose_grid,
    thresholded,
)
from blurlab.blur import centroid
from blurlab.metric import kernel_correlation

SHAPE, GRID, SIZE = (90, 130), (3, 4), 13
POSES = pose_grid(5, 0.03, 0.015)


def true_share() -> Tensor:
    """A bent path: a few poses, one after the other."""
    share = torch.zeros(len(POSES))
    for turn, down, right in ((0, 0, 0), (1, 1, 1), (2, 2, 1), (3, 2, 2), (4, 3, 4)):
        share[turn * 25 + down * 5 + right] = 1.0 + turn
    return share / share.sum()


def test_a_kernel_lies_where_its_pose_takes_a_point() -> None:
    pose = torch.tensor([[1.25, -0.5, math.radians(2.0)]])
    places = torch.tensor([[0.0, 0.0], [-40.0, 25.0]])
    kernels = MotionBasis(pose, places, SIZE).kernels(torch.ones(1))
    turn = pose[0, 2]
    rotation = torch.tensor([[turn.cos(), -turn.sin()], [turn.sin(), turn.cos()]])
    expected = places @ rotation.T - places + pose[:, :2]
    torch.testing.assert_close(centroid(kernels[:, None])[:, 0], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(kernels.sum((1, 2)), torch.ones(2))
    torch.testing.assert_close(displacement(pose, places)[:, 0], expected, atol=1e-5, rtol=0)


def test_back_is_the_adjoint() -> None:
    basis = MotionBasis(POSES.double(), middles(SHAPE, GRID).double(), 7)  # some points fall outside
    draw = torch.Generator().manual_seed(0)
    share = torch.randn(len(POSES), generator=draw, dtype=torch.float64)
    kernels = torch.randn(12, 7, 7, generator=draw, dtype=torch.float64)
    torch.testing.assert_close((basis.kernels(share) * kernels).sum(), (share * basis.back(kernels)).sum())


def test_without_rotation_all_kernels_are_the_same() -> None:
    motion = CameraMotion(pose_grid(3, 0.0, 1.0), torch.arange(9.0) / 36)
    kernels = motion.kernels(middles(SHAPE, GRID), 3)
    torch.testing.assert_close(kernels, (torch.arange(9.0) / 36).reshape(1, 3, 3).expand(12, -1, -1))


def test_thresholding_keeps_the_greatest() -> None:
    assert thresholded(torch.tensor([0.1, 3.0, -2.0, 1.0]), 0.5).tolist() == [0, 0.75, 0, 0.25]
    assert thresholded(torch.tensor([0.1, 3.0, -2.0, 1.0]), 0.01).tolist() == [0, 1, 0, 0]


def test_projection_takes_the_noise_off_kernels() -> None:
    """Both projections; least squares is the nearer."""
    basis = MotionBasis(POSES, middles(SHAPE, GRID), SIZE)
    kernels = basis.kernels(true_share())
    noisy = kernels + 0.03 * torch.randn(kernels.shape, generator=torch.Generator().manual_seed(1))

    def near(found: Tensor) -> float:
        return float(kernel_correlation(found[:, None], kernels[:, None]).mean())

    back = back_projected(noisy, basis, kept=0.08)
    fit = least_squares(lambda one: one, noisy, basis, back)
    for share in (back, fit):
        assert float(share.min()) >= 0 and float(share.sum()) == pytest.approx(1, abs=1e-5)
    assert near(noisy) < near(basis.kernels(back)) < near(basis.kernels(fit))
    assert near(basis.kernels(fit)) > 0.98


def test_least_squares_is_the_least() -> None:
    """No pose can take or give a little without a loss: the conditions of Karush, Kuhn and Tucker."""
    basis = MotionBasis(POSES[25:50], middles((30, 40), (2, 2)), 9)
    kernels = basis.kernels(torch.rand(25, generator=torch.Generator().manual_seed(0)) - 0.2)
    share = least_squares(lambda one: one, kernels, basis, torch.full((25,), 0.04), iterations=2000)
    scale = float(basis.back(kernels) @ share / basis.kernels(share).square().sum())  # before it was divided by its sum
    slope = basis.back(scale * basis.kernels(share) - kernels)
    assert float(slope.min()) > -1e-3 and float(slope[share > 1e-4].abs().max()) < 1e-3


def test_in_place_keeps_kernels_up_to_their_mean() -> None:
    motion = CameraMotion(POSES, true_share())
    moved = motion.in_place()
    assert (moved.share[:, None] * moved.poses).sum(0).abs().max() < 1e-6
    places = middles(SHAPE, GRID)
    before, after = (centroid(one.kernels(places, 21)[:, None])[:, 0] for one in (motion, moved))
    assert before.abs().max() > 0.5 and after.abs().max() < 0.05
    points = [displacement(one.poses[one.share > 0], places) for one in (motion, moved)]
    assert (points[1] - (points[0] - before[:, None])).abs().max() < 0.05


def test_operator_has_the_kernel_of_each_place() -> None:
    motion = CameraMotion(POSES, true_share())
    operator = motion.operator(SHAPE, GRID)
    size = operator.psf.shape[-1]
    expected = motion.kernels(torch.tensor([[0.5 - 30.0, 16.75 - 65.0 - 0.25]]), size)
    assert kernel_correlation(operator.psf_at(15, 16), expected[:, None]) > 0.99
    x = torch.rand(1, 1, SHAPE[0] + size - 1, SHAPE[1] + size - 1)
    assert operator.A(x).shape[-2:] == SHAPE
    assert motion.enlarged(2.0).operator((180, 260), GRID).psf.shape[-1] > size


@pytest.mark.parametrize(
    ("poses", "size", "said"), [(torch.zeros(3, 2), 5, r"poses must be \(P, 3\)"), (torch.zeros(3, 3), 4, "use 5")]
)
def test_what_is_no_basis(poses: Tensor, size: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MotionBasis(poses, torch.zeros(1, 2), size)
