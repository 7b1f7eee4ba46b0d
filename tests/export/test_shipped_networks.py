"""The networks of the package as they are exported: they say what pipelines say; ONNX where it is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from blurlab.cli import main
from blurlab.cli.export import NAMES
from blurlab.cli.shipped import shipped as weights_of_the_package
from blurlab.core.rng import generator
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.export import (
    TOLERANCE,
    FreeKernels,
    Naming,
    ZernikeCoefficients,
    difference_of_onnx,
    exported,
    write_program,
)
from blurlab.export.shipped import NETWORKS, Made, Sides
from blurlab.head import SpectrumAndEdges
from blurlab.pipeline import Aberrations, FreeKernel, Photograph
from blurlab.run.command.member import member
from blurlab.run.setup.build import build
from blurlab.run.stage.load import untrained

NO_NETWORK = {"patch_prior"}
"""Weights of the package that are a mixture of Gaussians."""


def made(name: str, size: tuple[int, int] = (70, 131)) -> Made:
    network = NETWORKS[name]
    return network.make(network.weights, Sides(size, network.channels[0], 9))


def photograph(size: tuple[int, int], channels: int = 1) -> Tensor:
    """Moved by 5 px: of what shows no line the angle has few digits that are right."""
    sharp = made_up(1, (size[0] + 4, size[1] + 4), generator=generator("y"))
    y = nn.functional.conv2d(sharp, kernels(2)[1:])
    return (y + 0.01 * torch.randn(y.shape, generator=generator("noise"))).expand(-1, channels, -1, -1).contiguous()


def test_every_network_of_the_package_is_there_and_the_command_knows_it() -> None:
    assert tuple(NETWORKS) == NAMES
    there = {one.name for one in weights_of_the_package()}
    assert {one.weights for one in NETWORKS.values()} == there - NO_NETWORK and there >= NO_NETWORK
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page.split("## Networks for other runtimes")[1] for name in (*NAMES, *NO_NETWORK))


def naming() -> tuple[Photograph, Naming]:
    tool = untrained().pipeline.identifier
    assert isinstance(tool, Photograph) and tool.own is not None
    return tool, Naming(tool, tool.own).eval()


def test_naming_says_what_the_identifier_says_of_one_size() -> None:
    tool, module = naming()
    sharp = made_up(1, (108, 128), generator=generator("y")).expand(-1, 3, -1, -1)
    y = nn.functional.avg_pool2d(sharp, 9, stride=1)
    probability, params, half = module(y)
    assert tool.own is not None
    label = super(Photograph, tool).identify(y, tool.own, {}).label
    assert label is not None and label.halfwidth is not None
    torch.testing.assert_close(probability, label.probability)
    known = label.params.isfinite()
    assert known.any() and len(module.kinds) == probability.shape[1]
    torch.testing.assert_close(params[known], label.params[known])
    free = label.halfwidth.isfinite() & known
    torch.testing.assert_close(half[free], label.halfwidth[free])


@pytest.mark.parametrize(("name", "side"), [("quotient17", 17), ("quotient", 9)])
def test_a_quotient_network_gives_the_kernel_that_the_pipeline_undoes(name: str, side: int) -> None:
    settings = [] if name == "quotient17" else [f"size={side}"]
    identifier = build(member("pipeline", name, settings), build(member("blur", "gp_trajectory")))
    y = photograph((70, 83), 3)
    with torch.no_grad():
        came, found = made(name).module(y), identifier.identify(y, {}, {})
    assert came.shape[-1] == side and torch.equal(came, found.blur.psf)
    torch.testing.assert_close(came.sum(), torch.tensor(1.0))


def test_zernike_gives_what_the_pipeline_believes() -> None:
    identifier = Aberrations(build(member("blur", "zernike")), head=SpectrumAndEdges, weights="zernike")
    y = photograph((70, 83))
    with torch.no_grad():
        coefficients, covariance, kernel = made("zernike").module(y)
        hint, psf = identifier.believed(y)
    torch.testing.assert_close(coefficients.double(), hint.mean)
    torch.testing.assert_close(kernel, psf)
    torch.testing.assert_close(covariance.double(), (hint.root @ hint.root.mT).inverse(), rtol=1e-4, atol=1e-7)
    assert bool((covariance.diagonal(dim1=1, dim2=2) > 0).all())


def test_identifiers_without_weights_have_no_network() -> None:
    with pytest.raises(ValueError, match="give it weights"):
        ZernikeCoefficients(Aberrations(build(member("blur", "zernike"))))
    with pytest.raises(ValueError, match="give it weights"):
        FreeKernels(FreeKernel(build(member("blur", "gp_trajectory"))))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["naming", "quotient17", "quotient", "zernike"])
def test_a_network_of_the_package_as_a_program(tmp_path: Path, name: str) -> None:
    one = made(name)
    path = write_program(exported(one.module, one.inputs), tmp_path / "a.pt2")
    program = torch.export.load(path).module()
    with torch.no_grad():
        for image in (*one.inputs, photograph((70, 131), one.inputs[0].shape[1])):
            pairs = zip(_each(program(image)), _each(one.module(image)), strict=True)
            for came, want in pairs:
                torch.testing.assert_close(came, want, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)


def _each(given: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (given,) if isinstance(given, Tensor) else given


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_networks_of_the_package_in_onnxruntime(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    for needed in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(needed, reason="needs the extra export")
    path, restores = tmp_path / "a.onnx", NETWORKS[name].takes_kernel
    size = (64, 80) if restores else (128, 160)
    kernel = ["--kernel", "9"] if restores else []
    main(["export", name, *kernel, "--size", f"{size[0]}x{size[1]}", "-o", str(path)])
    said = capsys.readouterr().out
    assert "largest difference of onnxruntime to torch" in said and 5 * 10**5 < path.stat().st_size < 2 * 10**7
    one = made(name, size)
    other = photograph(size, one.inputs[0].shape[1])  # of another image than was traced
    assert difference_of_onnx(path, one.module, (other, *one.inputs[1:])) <= TOLERANCE


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["unrolled", "--size", "64x64", "-o", "a.onnx"], "invalid choice: 'unrolled'"),
        (["naming", "--size", "64", "-o", "a.onnx"], "--size must be HEIGHTxWIDTH"),
        (["naming", "--size", "64x12", "-o", "a.onnx"], "64 px or more each, got 64x12"),
        (["naming", "--size", "64x64", "-o", "a.bin"], "must end in one of .onnx, .pt2"),
        (["unrolled_dr", "--size", "64x64", "--kernel", "8", "-o", "a.pt2"], "--kernel must be odd"),
        (["naming", "--size", "64x64"], "the following arguments are required: -o/--out"),
        (["quotient17", "--size", "64x64", "--kernel", "9", "-o", "a.pt2"], "quotient17 takes none"),
        (["gilbert2019", "--size", "64x64", "--channels", "1", "-o", "a.pt2"], "of 3 channels, got --channels 1"),
    ],
)
def test_wrong_words_get_one_line(capsys: pytest.CaptureFixture[str], words: list[str], what: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["export", *words])
    out, err = capsys.readouterr()
    assert caught.value.code == 2 and out == "" and err.count("\n") == 1 and what in err


def test_a_difference_of_nans_is_none() -> None:
    assert np.isnan(naming()[1](torch.rand(1, 3, 64, 64))[1].detach().numpy()).any()
