"""``blurlab export NETWORK --size HxW -o FILE``: a network that comes with the package, for other runtimes."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blurlab.cli.verb import OneLineParser, Verb
from blurlab.run.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

NETWORKS = ("naming", "unrolled_dr")
ENDINGS = (".onnx", ".pt2")
LEAST_PX = 64


@dataclass(frozen=True)
class Made:
    """A network to be exported.

    Attributes:
        module: It, with what belongs before and after it.
        inputs: Examples.
        outputs: Names of what it gives.
        about: What a user must know to read them.
    """

    module: nn.Module
    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...]
    about: str


def export(words: list[str]) -> None:
    """Write a network for inputs of one size, and say how far onnxruntime is from torch.

    Raises:
        UsageError: If a word is wrong, or the extra ``export`` is not there.
        SystemExit: With 1, if onnxruntime's numbers are others.
    """
    args = _parser().parse_args(words)
    if args.out.suffix not in ENDINGS:
        raise UsageError(f"--out {args.out} must end in one of {', '.join(ENDINGS)}")
    height, width = _size(args.size)
    if args.kernel < 3 or args.kernel % 2 == 0 or args.kernel > min(height, width):
        raise UsageError(f"--kernel must be odd, from 3 to the shorter side, got {args.kernel}")
    from blurlab.export import TOLERANCE, difference_of_onnx, exported, write_onnx, write_program

    made = _made(args.network, (height, width), args.channels, args.kernel)
    program = exported(made.module, made.inputs)
    if args.out.suffix == ".pt2":
        print(f"{write_program(program, args.out)}: {made.about}")
        return
    try:
        write_onnx(program, args.out, made.outputs)
        off = difference_of_onnx(args.out, made.module, made.inputs)
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not there; pip install 'blurlab-toolbox[export]'") from error
    print(f"{args.out}: {made.about}\nlargest difference of onnxruntime to torch {off:.2g}, allowed {TOLERANCE:g}")
    if not off <= TOLERANCE:
        raise SystemExit(1)


def _made(network: str, size: tuple[int, int], channels: int, kernel: int) -> Made:
    import torch

    from blurlab.core.rng import generator
    from blurlab.export import Naming, Restoring

    draw = generator("export", *size)
    if network == "naming":
        from blurlab.pipeline import Photograph
        from blurlab.run.stage.load import untrained

        identifier = untrained().pipeline.identifier
        assert isinstance(identifier, Photograph) and identifier.own is not None
        naming = Naming(identifier, identifier.own)
        about = f"y (1, 3, {size[0]}, {size[1]}) to probability of {', '.join(naming.kinds)}, to parameters and "
        about += f"halfwidth of {', '.join(naming.names)}"
        shown = (torch.rand(1, 3, *size, generator=draw),)
        return Made(naming.eval(), shown, ("probability", "parameters", "halfwidth"), about)
    from blurlab.deconvolver import UnrolledDR
    from blurlab.run.command.member import member
    from blurlab.run.setup.build import build

    net = build(member("deconvolver", network)).net
    assert isinstance(net, UnrolledDR)
    psf = torch.rand(1, 1, kernel, kernel, generator=draw)
    inputs = torch.rand(1, channels, *size, generator=draw), psf / psf.sum(), torch.full((1,), 0.01)
    about = f"y (1, {channels}, {size[0]}, {size[1]}), psf (1, 1, {kernel}, {kernel}) and sigma (1) to image"
    return Made(Restoring(net).eval(), inputs, ("image",), about)


def _size(text: str) -> tuple[int, int]:
    sides = text.split("x")
    if len(sides) != 2 or not all(side.isdecimal() and int(side) >= LEAST_PX for side in sides):
        raise UsageError(f"--size must be HEIGHTxWIDTH, {LEAST_PX} px or more each, got {text}")
    return int(sides[0]), int(sides[1])


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        "blurlab export",
        description="Write a network of the package for inputs of one size, as ONNX (.onnx) or for torch.export.load "
        "(.pt2), with what belongs before and after it. An ONNX file is run by onnxruntime and compared.",
    )
    parser.add_argument("network", choices=NETWORKS, help="what names the blur, or what undoes a kernel")
    parser.add_argument("--size", required=True, help="HEIGHTxWIDTH of the images, px")
    parser.add_argument("--kernel", default=31, type=int, help="side of the kernels of unrolled_dr, px; default: 31")
    parser.add_argument("--channels", default=1, type=int, choices=(1, 3), help="of unrolled_dr's images; default: 1")
    parser.add_argument("-o", "--out", required=True, type=Path, help="file to write: .onnx or .pt2")
    return parser


VERB = Verb(
    export,
    _parser,
    (("export naming --size 480x640 -o naming.onnx", "a network of the package for other runtimes, ONNX or .pt2"),),
)
