"""The unrolled network: shapes, its untrained start, gradients, that it can learn; weights on disk."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from blurlab.core.weights import save_weights
from blurlab.deconvolver import Learned, UNet, UnrolledDR, WienerStack, load_weights
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.deconvolver.observation import GridObservation, observe
from blurlab.deconvolver.second_order import second_order
from blurlab.deconvolver.unrolled_dr import filters_of, in_the_middle
from blurlab.physics import Convolution, Gradient

Small = partial(UNet, channels=(4, 8), blocks=1)


def blurred(n: int = 2, sigma: float = 0.01) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    sharp, psf = made_up(n, (21, 28), generator=generator), kernels(n)
    y = torch.nn.functional.conv2d(sharp.transpose(0, 1), psf.flip(-2, -1), groups=n).transpose(0, 1)
    return sharp[..., 2:-2, 2:-2], y + sigma * torch.randn(y.shape, generator=generator), psf


@pytest.mark.parametrize(
    ("channels", "fold", "shape"), [((4,), 1, (5, 7)), ((4, 8), 2, (17, 24)), ((4, 6, 8), 2, (9, 1))]
)
def test_denoiser_takes_any_size_and_begins_as_the_identity(
    channels: tuple[int, ...], fold: int, shape: tuple[int, int]
) -> None:
    net = UNet(3, channels, 1, fold)
    x = torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(net(x), x[:, :1])
    torch.nn.init.normal_(net.last.weight, std=0.1)
    changed = net(x)
    assert changed.shape == (2, 1, *shape)
    assert not torch.allclose(changed, x[:, :1], atol=1e-4)


def test_denoiser_refuses_no_channels() -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        UNet(0)


def test_one_untrained_step_is_the_prior_on_differences() -> None:
    _, y, psf = blurred()
    net = UnrolledDR(Small, iterations=1, start_iterations=40)
    sigma = torch.full((2, 1, 1, 1), 0.01)
    seen = GridObservation.of(y, psf, "unknown")
    expected = seen.crop(second_order(seen, torch.full((2, 1, 1, 1), 0.5e-3), 0.5, 40)).clamp(0, 1)
    torch.testing.assert_close(net(y, psf, sigma), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("varying", [False, True])
def test_a_filter_of_what_is_unexplained_solves_its_equation(varying: bool) -> None:
    _, y, psf = (one.double() for one in blurred())
    sigma = torch.full((2, 1, 1, 1), 0.02, dtype=torch.float64)
    seen = observe(y, Convolution(psf, "valid"), "unknown") if varying else observe(y, psf, "unknown")
    u = torch.rand(seen.first.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    slopes = Gradient("replicate" if varying else "circular")
    right = seen.adjoint(y - seen.blur(u))
    for strength, found in zip((1.2, 0.12, 0.012), filters_of(seen, sigma).unexplained(u).split(1, 1), strict=True):
        blurred_again = seen.adjoint(seen.blur(found)) if varying else circular(circular(found, psf), psf, back=True)
        left = blurred_again + strength * slopes.A_adjoint(slopes.A(found))
        assert (left - right).norm() < (0.12 if varying else 1e-4) * right.norm()


def circular(x: Tensor, psf: Tensor, back: bool = False) -> Tensor:
    """Convolution on the whole periodic grid, or its adjoint."""
    blur = Convolution(psf, "circular")
    return blur.A_adjoint(x) if back else blur.A(x)


def test_weights_are_positive_and_grow_with_the_noise() -> None:
    net = UnrolledDR(Small, iterations=3)
    low, high = (torch.stack(net.weights(torch.full((1, 1, 1, 1), sigma))) for sigma in (0.001, 0.1))
    assert (low > 0).all()
    assert (high > 10 * low).all()


@pytest.mark.slow
def test_every_weight_is_reached_and_two_images_are_learned() -> None:
    torch.manual_seed(0)
    x, y, psf = blurred(sigma=0.02)  # at SIGMA_UNIT the power of the noise would make no difference
    sigma = torch.full((2, 1, 1, 1), 0.02)
    net = UnrolledDR(Small, iterations=2, start_iterations=10)
    before = (net(y, psf, sigma) - x).square().mean().detach()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        (net(y, psf, sigma) - x).square().mean().backward()
        optimizer.step()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all() and bool(parameter.grad.abs().max() > 0), name
    assert (net(y, psf, sigma) - x).square().mean() < 0.5 * before


def test_colour_is_restored_channel_by_channel() -> None:
    _, y, psf = blurred()
    net = UnrolledDR(Small, iterations=2)
    sigma = torch.tensor([0.01, 0.02]).reshape(2, 1, 1, 1)
    colour = torch.cat([y, 1 - y, y.flip(-1)], 1)
    each = torch.cat([net(colour[:, i : i + 1], psf, sigma) for i in range(3)], 1)
    torch.testing.assert_close(net(colour, psf, sigma), each, atol=1e-5, rtol=0)


def test_what_a_network_assumes_of_the_border_is_what_its_deconvolver_says() -> None:
    assert Learned(UnrolledDR(Small)).boundary == "unknown"
    assert Learned(WienerStack(boundary="circular")).boundary == "circular"


def test_weights_come_back_from_disk(tmp_path: Path) -> None:
    _, y, psf = blurred()
    net = UnrolledDR(Small, iterations=2)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    save_weights(net, tmp_path / "w.safetensors", {"seed": "0"}, torch.float16)
    again = Learned(UnrolledDR(Small, iterations=2), str(tmp_path / "w.safetensors"))
    torch.testing.assert_close(again(y, psf, 0.01).image, Learned(net)(y, psf, 0.01).image, atol=2e-3, rtol=0)
    assert not torch.equal(again(y, psf, 0.01).image, Learned(UnrolledDR(Small, iterations=2))(y, psf, 0.01).image)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    save_weights(UNet(2), tmp_path / "unet.safetensors", {})
    with pytest.raises(ValueError, match="holds the weights of another network"):
        load_weights(UnrolledDR(Small), str(tmp_path / "unet.safetensors"))
    (tmp_path / "torn.safetensors").write_bytes(b"torn")
    with pytest.raises(ValueError, match="cannot be read as weights"):
        load_weights(UnrolledDR(Small), str(tmp_path / "torn.safetensors"))
    with pytest.raises(FileNotFoundError, match="no weights 'nowhere'"):
        load_weights(UnrolledDR(Small), "nowhere")


def test_eight_views_do_not_depend_on_how_the_image_lies() -> None:
    _, y, psf = blurred()
    net = UnrolledDR(Small, iterations=2)
    torch.manual_seed(0)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    one, eight = Learned(net), Learned(net, views=8)

    def change(solver: Learned) -> float:
        lying = solver(y.mT.contiguous(), psf.mT.contiguous(), 0.01).image.mT
        return float((lying - solver(y, psf, 0.01).image).abs().max())

    assert change(eight) < 1e-4 < 1e-2 < change(one)
    with pytest.raises(ValueError, match="views must be a whole number in"):
        Learned(net, views=9)


def test_a_network_sees_what_lies_beyond_the_border_on_all_sides() -> None:
    """On the grid the surroundings follow the image; where a network looks they are around it, and it is put back."""
    y, psf = torch.rand(1, 1, 17, 24, generator=torch.Generator().manual_seed(0)), kernels(1)
    seen = observe(y, psf, "unknown")
    rows, cols = seen.beyond
    assert (rows, cols) == (seen.first.shape[-2] - 17, seen.first.shape[-1] - 24) and min(rows, cols) >= 2
    shown: list[Tensor] = []

    def net(x: Tensor) -> Tensor:
        shown.append(x)
        return x[:, :1]

    assert torch.equal(in_the_middle(net, seen.first, seen.beyond), seen.first)
    top, left = rows // 2, cols // 2
    torch.testing.assert_close(shown[0][..., top : top + 17, left : left + 24], seen.crop(seen.first))
    assert observe(y, Convolution(psf, "circular"), "unknown").beyond == (0, 0)
