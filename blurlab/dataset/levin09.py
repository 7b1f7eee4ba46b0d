"""Levin et al. 2009: photographs of a sharp picture through recorded camera shakes."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blurlab.core.image_io import read_image
from blurlab.dataset.captures import Captures
from blurlab.dataset.source import MIN_SIDE, Layout, Photo, files_in


class Levin09(Captures):
    """The set as images: ``gt/im1.png`` ... sharp, ``im1_kernel1_img.png`` ... blurred [Levin2009].

    Four photographs of 255x255 pixels through eight kernels, which lie beside the sharp ones (``gt/kernel1.png`` ...) and
    are read by :func:`blurlab.blur.recorded_kernels`. A photograph's id is the path of the sharp one.

    Args:
        root: The set's folder, or a folder that holds it as ``levin09``.
    """

    name = "levin09"
    site = (
        "https://webee.technion.ac.il/people/anat.levin/ (LevinEtalCVPR09Data), as images: gt/ and im*_kernel*_img.png"
    )

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = root

    def photos(self) -> list[Photo]:
        """The sharp photographs, each a group of its own."""
        return [Photo(id=name, path=path) for name, path in self._sharp().items()]

    def kernels(self, photo_id: str) -> list[str]:
        return sorted(self._blurred(photo_id))

    def observed(self, photo_id: str, kernel: str) -> NDArray[np.float32]:
        return read_image(self._blurred(photo_id)[kernel], min_side=MIN_SIDE)

    def _sharp(self) -> dict[str, Path]:
        layout = Layout(
            set_name="the set of Levin et al. 2009",
            looks_for="gt/im1.png ... and im1_kernel1_img.png ...",
            site=self.site,
            folders=("levin09",),
            places=(("gt",),),
            pattern=r"im\d+\.png",
        )
        return {name: path for name, path, _ in layout.find(self.root)}

    def _blurred(self, photo_id: str) -> dict[str, Path]:
        """Kernel -> file of the photograph taken through it."""
        sharp = self._sharp()[photo_id]
        matches = ((re.fullmatch(rf"{sharp.stem}_(kernel\d+)_img\.png", p.name), p) for p in files_in(sharp.parents[1]))
        return {match[1]: path for match, path in matches if match}
