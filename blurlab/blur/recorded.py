"""Kernels that somebody recorded, from image files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from blurlab.blur.base import BlurFamily, check_params
from blurlab.blur.mixture import Mixture
from blurlab.blur.shape import odd_at_least, pad_to_odd
from blurlab.core.image_io import read_image
from blurlab.core.mat_file import read_plane


class Recorded(BlurFamily):
    """One kernel, always the same: no parameters and no strength.

    Args:
        kernel: Non-negative values (k, l) of any sum but 0; the pixel ``(k // 2, l // 2)`` is the centre.
        size: Side of the kernel handed out, odd.

    Raises:
        ValueError: If the kernel is not such a plane of values, or the size too small.

    Example:
        >>> Recorded(torch.tensor([[1.0, 3.0]])).sample(1, generator=torch.Generator()).psf[0, 0].tolist()
        [[0.0, 0.0, 0.0], [0.25, 0.75, 0.0], [0.0, 0.0, 0.0]]
    """

    kinds = ("recorded",)
    symmetric = False

    def __init__(self, kernel: Tensor, size: int | None = None) -> None:
        if kernel.ndim != 2 or not torch.isfinite(kernel).all() or kernel.min() < 0 or kernel.sum() <= 0:
            raise ValueError(f"a kernel must be (k, l), finite, >= 0 and not all 0, got {tuple(kernel.shape)}")
        self.kernel = kernel.double() / kernel.double().sum()
        super().__init__([], size)

    def extent_px(self, *largest: float) -> float:
        return float(max(odd_at_least(side + 1 - side % 2) for side in self.kernel.shape))

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return pad_to_odd(self.kernel, self.size).to(params).repeat(len(params), 1, 1, 1)


def recorded_kernels(
    folder: str | os.PathLike[str], pattern: str = r".*\.png", turned: Sequence[str] = (), size: int | None = None
) -> Mixture:
    """The kernels of a folder as one family, each a kind of its own, equally often.

    Args:
        folder: Where the image files lie; a kernel is a file's values over their sum.
        pattern: What a kernel's whole file name matches.
        turned: Kernels, by file name without its ending, that are to be turned by 180 degrees: convolution and
            correlation differ by that, and sets of kernels mix them.
        size: Side of all kernels; that of the largest if None.

    Returns:
        A mixture whose kinds are the file names without their endings.

    Raises:
        FileNotFoundError: If no file of the folder matches.
        ValueError: If ``turned`` names a kernel that is not there, or a file is no kernel.
    """
    every = sorted(Path(folder).iterdir()) if Path(folder).is_dir() else []
    paths = {path.stem: path for path in every if re.fullmatch(pattern, path.name)}
    if not paths:
        raise FileNotFoundError(_nothing_in(folder, pattern))
    unknown = sorted({*turned} - {*paths})
    if unknown:
        raise ValueError(f"turned names {unknown[0]}, which is none of {', '.join(paths)}")
    planes = {name: torch.from_numpy(read_image(path).mean(-1)) for name, path in paths.items()}
    kernels = {name: plane.flip(0, 1) if name in turned else plane for name, plane in planes.items()}
    return Mixture({name: Recorded(kernel) for name, kernel in kernels.items()}, size=size)


def matlab_kernels(
    folder: str | os.PathLike[str], pattern: str = r"im01_ker0*(\d+)\.mat", variable: str = "f", size: int | None = None
) -> Mixture:
    """The kernels of MATLAB files as one family, each a kind of its own, equally often.

    They are correlated with the image where MATLAB's ``filter2`` or an equation written so blurs; here each is turned
    by 180 degrees, as a convolution has it.

    Args:
        folder: Where the files lie.
        pattern: What a file's whole name matches; its group is the kernel's number, whose kind is ``kernel1`` for 1.
        variable: The kernel's name in the file.
        size: Side of all kernels; that of the largest if None.

    Raises:
        FileNotFoundError: If no file of the folder matches.
        ValueError: If a file cannot be read, or is no kernel.
    """
    every = sorted(Path(folder).iterdir()) if Path(folder).is_dir() else []
    matches = [(match[1], path) for path in every if (match := re.fullmatch(pattern, path.name))]
    if not matches:
        raise FileNotFoundError(_nothing_in(folder, pattern))
    planes = {f"kernel{number}": torch.from_numpy(read_plane(path, variable)) for number, path in matches}
    return Mixture({name: Recorded(plane.flip(0, 1)) for name, plane in planes.items()}, size=size)


def _nothing_in(folder: str | os.PathLike[str], pattern: str) -> str:
    example = re.sub(r"0\*|[\\()]", "", pattern.replace(r"\d+", "1"))
    return (
        f"no kernels in {Path(folder).absolute()} (looked for files named as {example}); set paths.data_dir (or "
        "BLURLAB_DATA) to the folder of sets"
    )
