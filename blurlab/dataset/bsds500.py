"""BSDS500: 500 photographs of 481x321 pixels, the Berkeley segmentation set."""

from __future__ import annotations

import os

from blurlab.dataset.source import Layout, Photo, Source

PARTS = ("train", "val", "test")


class Bsds500(Source):
    """BSDS500 as its authors pack it (``BSR/BSDS500/data/images/{train,val,test}/*.jpg``), or ``{train,val,test}``.

    Ids begin with the authors' part (``train/100075.jpg``), but the photographs are split anew.

    Args:
        root: The folder ``BSR``, ``BSDS500``, ``bsds500`` or one that holds it.
    """

    name = "bsds500"
    site = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = root

    def photos(self) -> list[Photo]:
        """The photographs, each a group of its own."""
        official = ("BSR/BSDS500/data/images", "BSDS500/data/images", "data/images", "images")
        layout = Layout(
            set_name="BSDS500",
            looks_for="BSDS500/data/images/{train,val,test}/*.jpg, or {train,val,test}/*.jpg",
            site=self.site,
            folders=("bsds500", "BSR"),
            places=(*(tuple(f"{folder}/{part}" for part in PARTS) for folder in official), PARTS),
            pattern=r"\d+\.(jpg|jpeg|png)",
        )
        return [Photo(id="/".join(path.parts[-2:]), path=path) for _, path, _ in layout.find(self.root)]
