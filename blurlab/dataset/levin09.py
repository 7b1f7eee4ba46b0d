"""Levin et al. 2009: photographs of a sharp picture through recorded camera shakes."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blurlab.core.image_io import read_image
from blurlab.core.mat_file import read_plane
from blurlab.dataset.captures import Captures
from blurlab.dataset.source import MIN_SIDE, Layout, Photo, files_in


class Levin09(Captures):
    """The set as images: ``gt/im1.png`` ... sharp, ``im1_kernel1_img.png`` ... blurred [Levin2009].

    Four photographs of 255x255 pixels through eight kernels, which lie beside the sharp ones (``gt/kernel1.png`` ...)
    and are read by :func:`blurlab.blur.recorded_kernels`. A photograph's id is the path of the sharp one.

    Args:
        root: The set's folder, or a folder that holds it as ``levin09``.
    """

    name = "levin09"
    site = "https://webee.technion.ac.il/people/anat.levin/ (LevinEtalCVPR09Data), as PNG files"

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
        return {name: path for name, path, _ in _layout("gt", r"im\d+\.png", self.site).find(self.root)}

    def _blurred(self, photo_id: str) -> dict[str, Path]:
        """Kernel -> file of the photograph taken through it."""
        sharp = self._sharp()[photo_id]
        matches = ((re.fullmatch(rf"{sharp.stem}_(kernel\d+)_img\.png", p.name), p) for p in files_in(sharp.parents[1]))
        return {match[1]: path for match, path in matches if match}


class Levin09Mat(Captures):
    """The same set as its authors' MATLAB files, ``mat/im01_ker01.mat`` ..., in double precision [Levin2009].

    Each file holds a blurred image y and a sharp image x of its own, which lies whole pixels away; the one sharp PNG of
    a photograph lies half a pixel away from some. So each of the 32 files is a photograph here, taken through one
    kernel, and the eight of a picture are one group. :func:`blurlab.blur.matlab_kernels` reads the kernels f.

    Args:
        root: The set's folder, or a folder that holds it as ``levin09``.
    """

    name = "levin09_mat"
    site = "https://webee.technion.ac.il/people/anat.levin/ (LevinEtalCVPR09Data)"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = root

    def photos(self) -> list[Photo]:
        """Each file."""
        return [Photo(id=name, group=match[1], path=path) for name, (path, match) in self._files().items()]

    def load(self, photo: Photo) -> NDArray[np.float32]:
        return self._plane(photo.id, "x")

    def check(self, photo: Photo) -> None:
        self.load(photo)

    def kernels(self, photo_id: str) -> list[str]:
        return [f"kernel{int(self._files()[photo_id][1][2])}"]

    def observed(self, photo_id: str, kernel: str) -> NDArray[np.float32]:
        return self._plane(photo_id, "y")

    def _plane(self, photo_id: str, variable: str) -> NDArray[np.float32]:
        return read_plane(self._files()[photo_id][0], variable)[..., None].astype(np.float32)

    def _files(self) -> dict[str, tuple[Path, re.Match[str]]]:
        found = _layout("mat", r"(im\d+)_ker(\d+)\.mat", self.site).find(self.root)
        return {name: (path, match) for name, path, match in found}


def _layout(folder: str, pattern: str, site: str) -> Layout:
    first = "gt/im1.png ... and im1_kernel1_img.png ..." if folder == "gt" else "mat/im01_ker01.mat ..."
    return Layout(
        set_name="the set of Levin et al. 2009",
        looks_for=first,
        site=site,
        folders=("levin09",),
        places=((folder,),),
        pattern=pattern,
    )
