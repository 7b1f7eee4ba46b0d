"""One stage of "Learning to Deblur", repeated: does it find kernels, and does what should not matter not matter?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from blurlab.blur import GPTrajectory
from blurlab.core.rng import generator
from blurlab.deconvolver.laws import made_up
from blurlab.head import RepeatedStage
from blurlab.head.edge_features import EdgeFeatures
from blurlab.head.repeated_stage import RESPONSE, WIDTHS, begin_strong, differences
from blurlab.metric import kernel_correlation
from blurlab.pipeline.shipped import load_nets

SIDE = 13


def network(side: int = SIDE) -> RepeatedStage:
    net = RepeatedStage(side**2)
    net.load_state_dict(load_nets("quotient")["kernel"])
    return net.eval()


def blurred(sigma: float = 0.003) -> tuple[Tensor, Tensor]:
    """Drawn rectangles through six paths of a hand (6, 1, 188, 188), and the paths."""
    family = GPTrajectory((0.7 * SIDE, SIDE), size=SIDE)
    kind, params = family.draw(6, generator=generator("repeated"))
    psf = family.psf(params, kind).float()
    sharp = made_up(6, (200, 200), generator=generator("sharp"))
    y = conv2d(sharp.transpose(0, 1), psf.flip(2, 3), groups=6).transpose(0, 1)
    return y + sigma * torch.randn(y.shape, generator=generator("noise")), psf


@torch.inference_mode()
def test_it_finds_kernels_in_one_size_and_with_room_to_spare() -> None:
    y, psf = blurred()
    for side in (SIDE, SIDE + 4):
        found = network(side).kernel(y)
        assert found.shape == (6, 1, side, side) and bool((found >= 0).all())
        torch.testing.assert_close(found.sum((1, 2, 3)), torch.ones(6))
        assert float(kernel_correlation(found, psf).median()) > 0.85


@torch.inference_mode()
def test_contrast_brightness_and_channels_do_not_matter() -> None:
    y, _ = blurred()
    net = network()
    plain = net.kernel(y)
    for other in (0.25 * y, y + 3, y.expand(-1, 3, -1, -1)):
        assert float(kernel_correlation(net.kernel(other), plain).min()) > 0.999


@torch.inference_mode()
def test_where_there_is_nothing_to_see_nothing_is_blurred() -> None:
    found = network().kernel(torch.full((1, 1, 64, 64), 0.5))[0, 0]
    assert float(found[SIDE // 2, SIDE // 2]) == pytest.approx(1)


def test_a_kernel_of_another_side_is_by_the_same_weights() -> None:
    net = network(17)
    other = net.of_side(25)
    assert (net.side, other.side) == (17, 25) and other.features is net.features
    assert other.sides == (5, 7, 9, 11, 13, 15, 17, 21, 25)
    assert all(large - small >= 2 for small, large in zip(other.sides, other.sides[1:], strict=False))
    y = blurred()[0]
    with torch.inference_mode():
        assert net.of_side(SIDE).kernel(y).equal(network().kernel(y))


@pytest.mark.parametrize("side", [1, 3, 5, 7, 13, 25, 31])
@torch.inference_mode()
def test_small_images_have_fewer_scales(side: int) -> None:
    net, y = network(side), blurred()[0][:1]
    for rows, cols in ((side + 8, side + 8), (2 * side + 8, 90), (90, 3 * side + 8)):
        psf = net(y[..., :rows, :cols]).exp()
        assert psf.shape == (1, side**2) and float(psf.sum()) == pytest.approx(1, abs=1e-3)


def test_every_weight_learns() -> None:
    y, psf = blurred()
    net = RepeatedStage(SIDE**2, repeats=2)
    (net.kernel(y) - psf).square().sum().backward()
    for name, weights in net.named_parameters():
        assert weights.grad is not None and bool(weights.grad.isfinite().all()), name
        assert float(weights.grad.abs().max()) > 0, name


@torch.inference_mode()
def test_it_begins_with_derivatives_that_pass_strong_edges() -> None:
    slope = sum(weight / width for weight, width in zip(RESPONSE, WIDTHS, strict=True))
    assert abs(slope) < 0.2  # a weak edge counts as a fifth of itself
    features = EdgeFeatures(2, 1)
    begin_strong(features)
    ramp = torch.zeros(1, 2, 9, 40)
    for height in (0.5, 4.0):
        ramp[..., 20:] = height
        sharp, blurred_image = features(ramp)
        assert (float(sharp.abs().max()) > 0.08 * height) == (height > 2)
        assert float(blurred_image.max()) == pytest.approx(height / 5, rel=0.35)


def test_differences_are_those_of_neighbours() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    assert float(differences(ramp)) == pytest.approx(2**-0.5)
    assert float(differences(torch.ones(1, 1, 4, 4))) == pytest.approx(1e-6)


def test_what_does_not_fit_is_refused() -> None:
    for outputs in (24, 0, 16):
        with pytest.raises(ValueError, match=r"square kernel|odd side"):
            RepeatedStage(outputs)
    with pytest.raises(ValueError, match="odd side of 1 px and more, got 8"):
        network().of_side(8)
    with pytest.raises(ValueError, match="H and W at least 21 for kernels of 13 px"):
        network()(torch.zeros(1, 1, 20, 40))
    with pytest.raises(ValueError, match="H and W at least 21 for kernels of 13 px"):
        network().kernel(torch.zeros(1, 1, 40, 20))
    for name in ("pairs", "repeats", "filters", "hidden"):
        with pytest.raises(ValueError, match="must be 1 or more"):
            RepeatedStage(25, **{name: 0})
    with pytest.raises(ValueError, match="12 hidden images at least"):
        begin_strong(EdgeFeatures(2, 2, filters=6, hidden=6))
