"""STARE: fundus photographs of 700x605 pixels; 397 in all, 20 of them with vessels drawn."""

from __future__ import annotations

import os

from blurlab.dataset.source import Layout, Photo, Source


class Stare(Source):
    """STARE: ``im0001.ppm`` ... in one folder, whichever of its selections; unpack ``.ppm.gz`` with gunzip first.

    Args:
        root: The set's folder, or a folder that holds it as ``stare``, ``STARE`` or ``fundus/stare``.
    """

    name = "stare"
    site = "https://cecas.clemson.edu/~ahoover/stare/"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = root

    def photos(self) -> list[Photo]:
        """The photographs, each a group of its own: the set does not say which are of one person."""
        layout = Layout(
            set_name="STARE",
            looks_for="im0001.ppm, im0002.ppm ... (unpacked: gunzip im*.ppm.gz)",
            site=self.site,
            folders=("stare", "stare-images", "all-images"),
            places=(("",), ("images",)),
            pattern=r"im\d{4}\.(ppm|png|tif|tiff)",
        )
        return [Photo(id=name, path=path) for name, path, _ in layout.find(self.root)]
