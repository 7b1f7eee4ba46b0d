"""The stack of Wiener filters, and the network on it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.blur import Trajectory, motion_psf
from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver import TV, Wiener
from blurlab.deconvolver.louder import LOUDER
from blurlab.deconvolver.wiener import estimate_nsr
from blurlab.deconvolver.wiener_stack import CEILING, SNR_DB, START_ITERATIONS, WienerStack, differences

AS_PUBLISHED = {
    "width": 64,
    "blocks": 12,
    "fold": 1,
    "snr_db": SNR_DB,
    "relative": False,
    "prior": "flat",
    "onto": None,
}


def case(channels: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Three images (3, C, 17, 24), kernels and noise levels."""
    y = torch.rand(3, channels, 17, 24, generator=torch.Generator().manual_seed(0))
    return (
        y,
        motion_psf(torch.tensor([3.0, 5.0, 4.0]), torch.tensor([0.0, 30.0, 90.0]), 5),
        torch.full((3, 1, 1, 1), 0.02),
    )


def held(image: Tensor, y: Tensor) -> Tensor:
    """Within 2 of the mean of y."""
    mean = y.mean((2, 3), keepdim=True)
    return mean + (image - mean).clamp(-2, 2)


@pytest.mark.parametrize(("prior", "boundary"), [("flat", "padded"), ("gradient", "padded"), ("flat", "circular")])
def test_stack_is_the_filters_one_by_one(prior: str, boundary: str) -> None:
    y, psf, sigma = case(3)
    net = WienerStack(channels=3, snr_db=[5, 20], relative=False, prior=prior, onto=None, boundary=boundary)
    for index, snr_db in enumerate((5, 20)):
        one = Wiener(nsr=10 ** (-snr_db / 10), prior=prior, boundary=boundary)(y, psf, 0.02).image
        torch.testing.assert_close(net.stack(y, psf, sigma)[:, index], held(one, y), rtol=0, atol=1e-4)


@pytest.mark.parametrize("boundary", ["padded", "circular"])
def test_relative_ratios_are_multiples_of_the_estimate(boundary: str) -> None:
    y, psf, sigma = case()
    net = WienerStack(snr_db=[-10, 0], onto=0, boundary=boundary)
    for index, strength in enumerate((10.0, 1.0)):
        one = Wiener(strength=strength, boundary=boundary)(y, psf, sigma.flatten()).image
        torch.testing.assert_close(net.stack(y, psf, sigma)[:, index], held(one, y), rtol=0, atol=1e-4)


def test_a_filter_that_trusts_y_too_much_is_held() -> None:
    y, psf, sigma = case()
    stack = WienerStack(snr_db=[120], relative=False, prior="flat", onto=0).stack(y, psf, sigma)
    assert float((stack[:, 0] - y.mean((2, 3), keepdim=True)).abs().max()) == pytest.approx(2, rel=1e-5)


@pytest.mark.parametrize(("channels", "inputs", "weights"), [(3, 48, 184131), (1, 16, 129729)])
def test_as_published_it_has_one_convolution_for_all_blocks(channels: int, inputs: int, weights: int) -> None:
    net = WienerStack(channels=channels, **AS_PUBLISHED)  # type: ignore[arg-type]
    assert net.first.weight.shape == (64, inputs, 5, 5)
    assert sum(weight.numel() for weight in net.parameters()) == weights
    deeper = WienerStack(channels=channels, **(AS_PUBLISHED | {"blocks": 19}))  # type: ignore[arg-type]
    assert sum(weight.numel() for weight in deeper.parameters()) == weights


def test_blocks_apply_the_shared_convolution_twice_each() -> None:
    net = WienerStack(width=4, blocks=2, fold=1, snr_db=[0], onto=None)
    shown = torch.rand(1, 2, 9, 11)
    s = net.first(shown)
    s = s + net.shared(net.shared(s).relu())
    s = s + net.shared(net.shared(s).relu())
    torch.testing.assert_close(net.correct(shown), net.last(s))


@pytest.mark.parametrize(("channels", "seen"), [(1, 1), (1, 3), (3, 3)])
def test_shapes_and_gradients_on_odd_sides(channels: int, seen: int) -> None:
    y, psf, sigma = case(seen)
    net = WienerStack(channels=channels, width=8, blocks=2, onto=None)
    out = net(y, psf, sigma)
    assert out.shape == y.shape
    out.square().mean().backward()
    assert all(bool(torch.isfinite(w.grad).all() and w.grad.any()) for w in net.parameters() if w.grad is not None)
    assert all(w.grad is not None for w in net.parameters())
    one = torch.cat([net(y[i : i + 1], psf[i : i + 1], sigma[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(out, one, rtol=0, atol=1e-4)


def test_channels_by_themselves_are_grey_images() -> None:
    y, psf, sigma = case(3)
    net = WienerStack(width=8, blocks=2, onto=None)
    grey = torch.cat([net(y[:, i : i + 1], psf, sigma) for i in range(3)], dim=1)
    torch.testing.assert_close(net(y, psf, sigma), grey, rtol=0, atol=1e-5)


def test_before_training_the_corrected_filter_is_given_back() -> None:
    y, psf, sigma = case()
    net = WienerStack(width=8, blocks=2, onto=1, boundary="padded")
    torch.testing.assert_close(net(y, psf, sigma), net.stack(y, psf, sigma)[:, 1], rtol=0, atol=1e-5)


def test_before_training_total_variation_is_given_back() -> None:
    y, psf, sigma = case()
    restored = TV(iterations=START_ITERATIONS, tolerance=0)(y, psf, sigma.flatten()).image
    torch.testing.assert_close(WienerStack(width=8, blocks=2)(y, psf, sigma), restored, rtol=0, atol=1e-4)


def test_beyond_the_border_comes_what_was_restored_blurred_again() -> None:
    y, psf, sigma = case()
    net = WienerStack(snr_db=[-10, 0], onto=0)
    start = net._start(y, psf, sigma)
    stack, inner = net.stack(y, psf, sigma, start), (..., slice(0, y.shape[-2]), slice(0, y.shape[-1]))
    again = irfft2(psf_to_otf(psf, start.shape[-2:]) * rfft2(start), start.shape[-2:])
    again[inner] = y
    ratio = estimate_nsr(y, psf, sigma, "gradient", (start.shape[-2], start.shape[-1])).flatten().tolist()
    for n, strength in enumerate((10.0, 1.0)):
        each = [Wiener(nsr=strength * one, boundary="circular") for one in ratio]
        one = torch.cat([each[i](again[i : i + 1], psf[i : i + 1], 0.01).image[inner] for i in range(len(y))])
        held = (one - y.mean((-2, -1), keepdim=True)).clamp(-CEILING, CEILING) + y.mean((-2, -1), keepdim=True)
        torch.testing.assert_close(stack[:, n], held, rtol=0, atol=1e-2)  # the means differ


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": 4}, "kernel odd"),
        ({"blocks": 0}, "1 or more"),
        ({"snr_db": []}, "snr_db given"),
        ({"onto": 5}, "onto must be null, tv or a filter"),
        ({"prior": "falt"}, "prior must be one of"),
        ({"boundary": "liu_jia"}, "boundary must be one of"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WienerStack(**options)  # type: ignore[arg-type]


def test_other_channels_are_refused() -> None:
    y, psf, sigma = case(2)
    with pytest.raises(ValueError, match="multiple of 3 channels, got 2"):
        WienerStack(channels=3, width=4, blocks=1)(y, psf, sigma)


def test_a_brighter_image_is_corrected_alike() -> None:
    y, psf, sigma = case()
    net = WienerStack(width=8, blocks=2, onto=2, boundary="padded")
    torch.nn.init.normal_(net.last.weight, std=0.1)
    plain = net(y, psf, sigma).detach()
    assert float((plain - net.stack(y, psf, sigma)[:, 2]).abs().max()) > 0.1
    torch.testing.assert_close(net(y + 0.25, psf, sigma).detach(), plain + 0.25, rtol=0, atol=1e-4)


def test_differences_tell_the_stack() -> None:
    stack, y = torch.rand(2, 3, 1, 5, 6), torch.rand(2, 1, 5, 6)
    shown = differences(stack, 1, y)
    image = stack[:, 1]
    torch.testing.assert_close(shown[:, :1], image - image.mean((2, 3), keepdim=True))
    torch.testing.assert_close(shown[:, 1:] / LOUDER + image, torch.cat([stack[:, 0], stack[:, 2], y], dim=1))


def test_spectra_stay_in_float32_under_autocast() -> None:
    y, psf, sigma = case(3)
    net = WienerStack(channels=3, width=8, blocks=1, onto=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(y, psf, sigma)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, net(y, psf, sigma), rtol=0, atol=1e-5)


@pytest.mark.slow
def test_it_learns_two_images_by_heart() -> None:
    draw = torch.Generator().manual_seed(2)
    x = torch.nn.functional.interpolate(torch.rand(2, 1, 6, 6, generator=draw), size=(32, 32))
    psf = Trajectory(length_px=12).sample(2, generator=draw).psf
    y = x + 0.02 * torch.randn(x.shape, generator=draw)
    sigma = torch.full((2, 1, 1, 1), 0.02)
    torch.manual_seed(0)
    net = WienerStack(width=16, blocks=3, fold=1)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(150):
        loss = (net(y, psf, sigma) - x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.05 * losses[0]
