"""Exported programs: real numbers alone, the same results as torch, whatever the image; ONNX where it is there."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from blurlab.cli import main
from blurlab.core.rng import generator
from blurlab.deconvolver import Learned, UNet, UnrolledDR
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.export import TOLERANCE, Naming, Restoring, difference_of_onnx, exported, write_onnx, write_program
from blurlab.pipeline import Photograph
from blurlab.run.stage.load import untrained


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


def shipped() -> Naming:
    identifier = untrained().pipeline.identifier
    assert isinstance(identifier, Photograph) and identifier.own is not None
    return Naming(identifier, identifier.own).eval()


def test_naming_says_what_the_identifier_says_of_one_size() -> None:
    tool = untrained().pipeline.identifier
    assert isinstance(tool, Photograph) and tool.own is not None
    sharp = made_up(1, (108, 128), generator=generator("y")).expand(-1, 3, -1, -1)
    y = nn.functional.avg_pool2d(sharp, 9, stride=1)
    probability, params, half = shipped()(y)
    label = super(Photograph, tool).identify(y, tool.own, {}).label
    assert label is not None and label.halfwidth is not None
    torch.testing.assert_close(probability, label.probability)
    known = label.params.isfinite()
    assert known.any() and len(shipped().kinds) == probability.shape[1]
    torch.testing.assert_close(params[known], label.params[known])
    free = label.halfwidth.isfinite() & known
    torch.testing.assert_close(half[free], label.halfwidth[free])


@pytest.mark.slow
def test_the_naming_network_as_a_program(tmp_path: Path) -> None:
    module = shipped()
    y = torch.rand(1, 3, 70, 131, generator=generator("y"))
    path = write_program(exported(module, (y,)), tmp_path / "naming.pt2")
    other = made_up(1, (70, 131), generator=generator("other")).expand(-1, 3, -1, -1).contiguous()
    with torch.no_grad():
        for image in (y, other):
            for came, want in zip(torch.export.load(path).module()(image), module(image), strict=True):
                torch.testing.assert_close(came, want, rtol=0, atol=TOLERANCE, equal_nan=True)


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


@pytest.mark.parametrize("share", [1.0, 1 / 300])
def test_restoring_is_what_the_deconvolver_does(share: float) -> None:
    net, given = small(), inputs(share)
    with torch.no_grad():
        came = Restoring(net)(*given)
    torch.testing.assert_close(came, Learned(net).trusting()(*given).image, rtol=0, atol=1e-6 * share)


@pytest.mark.slow
def test_an_unrolled_network_as_a_program_and_afterwards_as_it_was(tmp_path: Path) -> None:
    module, given = Restoring(small()).eval(), inputs()
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


@pytest.mark.slow
@pytest.mark.parametrize("words", [["naming"], ["unrolled_dr", "--kernel", "9"]])
def test_the_networks_of_the_package_in_onnxruntime(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    needs_onnx()
    main(["export", *words, "--size", "64x80", "-o", str(tmp_path / "a.onnx")])
    said = capsys.readouterr().out
    assert "largest difference of onnxruntime to torch" in said and (tmp_path / "a.onnx").stat().st_size > 10**6


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["unrolled", "--size", "64x64", "-o", "a.onnx"], "invalid choice: 'unrolled'"),
        (["naming", "--size", "64", "-o", "a.onnx"], "--size must be HEIGHTxWIDTH"),
        (["naming", "--size", "64x12", "-o", "a.onnx"], "64 px or more each, got 64x12"),
        (["naming", "--size", "64x64", "-o", "a.bin"], "must end in one of .onnx, .pt2"),
        (["unrolled_dr", "--size", "64x64", "--kernel", "8", "-o", "a.pt2"], "--kernel must be odd"),
        (["naming", "--size", "64x64"], "the following arguments are required: -o/--out"),
    ],
)
def test_wrong_words_get_one_line(capsys: pytest.CaptureFixture[str], words: list[str], what: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["export", *words])
    out, err = capsys.readouterr()
    assert caught.value.code == 2 and out == "" and err.count("\n") == 1 and what in err


def test_a_difference_of_nans_is_none() -> None:
    assert np.isnan(shipped()(torch.rand(1, 3, 64, 64))[1].detach().numpy()).any()
