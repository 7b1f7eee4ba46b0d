"""``blurlab export NETWORK --size HxW -o FILE``: a network that comes with the package, for other runtimes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from blurlab.cli.verb import OneLineParser, Verb
from blurlab.run.errors import UsageError

if TYPE_CHECKING:
    from blurlab.export.shipped import Made

NAMES = ("naming", "fundus", "quotient17", "quotient", "zernike", "unrolled_dr", "wiener_stack", "gilbert2019")
"""Of the networks in :mod:`blurlab.export.shipped`, which takes seconds to import."""
ENDINGS = (".onnx", ".pt2")
LEAST_PX = 64
KERNEL_PX = 31


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
    kernel = KERNEL_PX if args.kernel is None else args.kernel
    if kernel < 3 or kernel % 2 == 0 or kernel > min(height, width):
        raise UsageError(f"--kernel must be odd, from 3 to the shorter side, got {kernel}")
    from blurlab.export import TOLERANCE, difference_of_onnx, exported, write_onnx, write_program

    made = _made(args, (height, width), kernel)
    program = exported(made.module, made.inputs)
    if args.out.suffix == ".pt2":
        print(f"{write_program(program, args.out)}: {made.about}")
        return
    try:
        write_onnx(program, args.out, made.outputs)
        off = difference_of_onnx(args.out, made.module, made.inputs)
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not there; pip install 'blurlab-toolbox[export]'") from error
    print(
        f"{args.out}: {made.about}\nlargest difference of onnxruntime to torch {off:.2g}, allowed {TOLERANCE:g}, "
        "of values beyond 1 as a share"
    )
    if not off <= TOLERANCE:
        raise SystemExit(1)


def _made(args: argparse.Namespace, size: tuple[int, int], kernel: int) -> Made:
    from blurlab.export.shipped import NETWORKS, Sides

    network = NETWORKS[args.network]
    if args.kernel is not None and not network.has_kernel:
        takers = ", ".join(name for name, one in NETWORKS.items() if one.has_kernel)
        raise UsageError(
            f"--kernel is the side of kernels that are undone or found, by {takers}; {args.network} takes none"
        )
    channels = network.channels[0] if args.channels is None else args.channels
    if channels not in network.channels:
        raise UsageError(f"{args.network} takes images of {network.channels[0]} channels, got --channels {channels}")
    return network.make(network.weights, Sides(size, channels, kernel))


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
    parser.add_argument(
        "network",
        choices=NAMES,
        help="naming, and fundus of the back of the eye: kind and parameters of a blur; quotient, quotient17: its "
        "kernel; zernike: an objective's aberrations; unrolled_dr, wiener_stack, gilbert2019: an image restored from a "
        "kernel and its noise",
    )
    parser.add_argument("--size", required=True, help="HEIGHTxWIDTH of the images, px")
    parser.add_argument(
        "--kernel",
        type=int,
        help="side of the kernels that are undone, or found by quotient (best 4 px more than theirs), px, odd; "
        f"default: {KERNEL_PX}",
    )
    parser.add_argument(
        "--channels",
        type=int,
        choices=(1, 3),
        help="of the images; default: 3 for naming, fundus and gilbert2019, else 1",
    )
    parser.add_argument("-o", "--out", required=True, type=Path, help="file to write: .onnx or .pt2")
    return parser


VERB = Verb(
    export,
    _parser,
    (("export naming --size 480x640 -o naming.onnx", "a network of the package for other runtimes, ONNX or .pt2"),),
)
