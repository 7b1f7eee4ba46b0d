"""Exported programs: real numbers alone, the same results as torch, whatever the image; ONNX where it is there."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from blurlab.core.fourier import psf_to_otf
from blurlab.core.rng import generator
from blurlab.deconvolver import Learned, UNet, UnrolledDR, WienerStack
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.export import TOLERANCE, Restoring, difference_of_onnx, exported, write_onnx


def needs_onnx() -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason="needs the extra export")


class Spectra(nn.Module):
    """Every operation of complex numbers that the library's networks have."""

    def forward(self, x: Tensor, k: Tensor) -> Tensor:
        shape = (x.shape[-2], x.shape[-1])
        z, h = torch.fft.rfft2(x), torch.fft.rfft2(k, s=shape)
        power = h.abs().square() + 0.1
        w = (h.conj() * z + 0.5 * z - h) / power + z / (h + 2)
        return torch.fft.irfft2(w, s=shape) + torch.fft.ifft2(torch.fft.fft2(x)).real + z.real.square().mean()


@pytest.mark.parametrize("shape", [(17, 24), (24, 17), (16, 15)])
def test_fourier_transforms_as_products_of_matrices(shape: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *shape, generator=generator("x"))
    k = torch.rand(2, 1, 3, 5, generator=generator("k"))
    program = exported(Spectra(), (x, k))
    values = [node.meta.get("val") for node in program.graph.nodes]
    assert not any(isinstance(one, Tensor) and one.is_complex() for one in values)
    torch.testing.assert_close(program.module()(x, k), Spectra()(x, k), rtol=1e-5, atol=1e-4)


class Measurements(nn.Module):
    """Operations, of real numbers and of those that make complex ones, that ONNX does not have or has wrongly."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        shape = (x.shape[-2], x.shape[-1])
        down, across = torch.fft.fftfreq(shape[0])[:, None], torch.fft.rfftfreq(shape[1])
        slope = torch.fft.irfft2(1j * (down + across) * torch.fft.rfft2(x), s=shape)
        turn = torch.fft.irfft2(torch.polar(torch.ones_like(across), across) * torch.fft.rfft2(x), s=shape)
        mixed = torch.complex(x, slope) * torch.complex(slope, -x)
        sum_of_both = torch.addcmul(mixed, mixed, torch.complex(x, x)).sum(1).roll((3, -2), (-2, -1))
        written = x.clone()
        written[..., 2:9, 4:] = slope[..., 2:9, 4:]
        written[..., 1, ::2] = 0.5
        middle = x.flatten(1).median(1, keepdim=True)
        away = torch.hypot(x.roll(5, -1), slope.roll((-4, 2), (-2, -1)))
        return (
            slope, turn, torch.view_as_real(sum_of_both), written, middle.values, x.median(-1).values, away,
            x.lerp(away, 0.3), x.lerp(away, 1.8), psf_to_otf(x[:1, :1, :3, :3], (260, 6)).abs(),
            torch.eye(5) @ x[..., :5, :], (100 * x).long().clamp(3, 70),
        )  # fmt: skip


@pytest.mark.parametrize("shape", [(17, 24), (10, 9)])
def test_what_is_measured_stays_as_it_is(shape: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *shape, generator=generator("x"))
    for came, want in zip(exported(Measurements(), (x,)).module()(x), Measurements()(x), strict=True):
        torch.testing.assert_close(came, want, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_what_is_measured_stays_as_it_is_in_onnxruntime(tmp_path: Path) -> None:
    needs_onnx()
    x = torch.rand(2, 3, 17, 24, generator=generator("x"))
    names = [f"output{place}" for place in range(len(Measurements()(x)))]
    path = write_onnx(exported(Measurements(), (x,)), tmp_path / "a.onnx", names)
    assert difference_of_onnx(path, Measurements(), (x,)) < TOLERANCE


def small() -> UnrolledDR:
    """A network that has learned nothing, but whose denoisers change what they see."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        net = UnrolledDR(partial(UNet, channels=(4, 8), blocks=1, fold=2), iterations=2, start_iterations=3)
        for denoiser in net.denoisers:
            nn.init.normal_(denoiser.last.weight, std=0.02)  # type: ignore[union-attr, arg-type]
    return net.eval()


def inputs(share: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    y = share * made_up(1, (22, 27), generator=generator("y"))
    noise = 0.01 * share * torch.randn(y.shape, generator=generator("noise"))
    return y + noise, kernels(3)[2:], torch.tensor([0.01 * share])


def small_stack() -> WienerStack:
    """A network on Wiener filters that has learned nothing, but whose last convolution adds something."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        net = WienerStack(width=4, blocks=2, kernel=3)
        nn.init.normal_(net.last.weight, std=0.02)
    return net.eval()


@pytest.mark.parametrize("net", [small(), small_stack()], ids=["unrolled_dr", "wiener_stack"])
@pytest.mark.parametrize("share", [1.0, 1 / 300])
def test_restoring_is_what_the_deconvolver_does(net: nn.Module, share: float) -> None:
    given = inputs(share)
    with torch.no_grad():
        came = Restoring(net)(*given)
    assert float((came - given[0]).abs().max()) > 0.01 * share
    torch.testing.assert_close(came, Learned(net).trusting()(*given).image, rtol=0, atol=1e-6 * share)


def test_what_is_constant_stays_as_it_is() -> None:
    y = torch.full((1, 1, 22, 27), 0.3)
    with torch.no_grad():
        assert torch.equal(Restoring(small_stack())(y, *inputs()[1:]), y)


@pytest.mark.slow
@pytest.mark.parametrize("net", [small(), small_stack()], ids=["unrolled_dr", "wiener_stack"])
def test_a_network_as_a_program_and_afterwards_as_it_was(net: nn.Module) -> None:
    module, given = Restoring(net).eval(), inputs()
    program = exported(module, given)  # sides that were never seen before: nothing of the trace may be kept
    for one in (given, inputs(1 / 300), (given[0], kernels(4)[3:], torch.tensor([0.05]))):
        with torch.no_grad():
            torch.testing.assert_close(program.module()(*one), module(*one), rtol=0, atol=TOLERANCE)


@pytest.mark.slow
def test_a_small_network_in_onnxruntime(tmp_path: Path) -> None:
    needs_onnx()
    module = Restoring(small()).eval()
    path = write_onnx(exported(module, inputs()), tmp_path / "a.onnx", ["image"])
    assert difference_of_onnx(path, module, inputs()) < TOLERANCE
    assert difference_of_onnx(path, module, (inputs()[0], kernels(4)[3:], torch.tensor([0.05]))) < TOLERANCE
