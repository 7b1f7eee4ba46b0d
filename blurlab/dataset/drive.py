"""DRIVE: 40 fundus photographs of 565x584 pixels."""

from __future__ import annotations

import os

from blurlab.dataset.source import Layout, Photo, Source


class Drive(Source):
    """DRIVE as its authors pack it (``{training,test}/images/21_training.tif``), or all its photographs in one folder.

    The authors' own halves are not kept: training and test photographs are split anew with the rest.

    Args:
        root: The set's folder, or a folder that holds it as ``drive``, ``DRIVE`` or ``fundus/drive``.
    """

    name = "drive"
    site = "https://drive.grand-challenge.org"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = root

    def photos(self) -> list[Photo]:
        """The photographs, each a group of its own: 40 people."""
        layout = Layout(
            set_name="DRIVE",
            looks_for="{training,test}/images/NN_{training,test}.tif, or these files (or their PNGs) in one folder",
            site=self.site,
            folders=("drive", "DRIVE"),
            places=(("training/images", "test/images"), ("",)),
            pattern=r"\d{2}_(training|test)\.(tif|tiff|png)",
        )
        return [Photo(id=name, path=path) for name, path, _ in layout.find(self.root)]
