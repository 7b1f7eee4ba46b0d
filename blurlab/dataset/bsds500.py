"""BSDS500: 500 photographs of 481x321 pixels, the Berkeley segmentation set."""

from __future__ import annotations

import os
from collections.abc import Sequence

from blurlab.dataset.source import Layout, Photo, Source

PARTS = ("train", "val", "test")


class Bsds500(Source):
    """BSDS500 as its authors pack it (``BSR/BSDS500/data/images/{train,val,test}/*.jpg``), or ``{train,val,test}``.

    Ids begin with the authors' part (``train/100075.jpg``), but the photographs are split anew.

    Args:
        root: The folder ``BSR``, ``BSDS500``, ``bsds500`` or one that holds it.
        parts: The authors' parts to take.

    Raises:
        ValueError: If a part is none of train, val, test.
    """

    name = "bsds500"
    site = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html"

    def __init__(self, root: str | os.PathLike[str], parts: Sequence[str] = PARTS) -> None:
        unknown = [part for part in parts if part not in PARTS]
        if unknown or not parts:
            raise ValueError(f"parts must be some of {', '.join(PARTS)}, got {list(parts)}")
        self.root = root
        self.parts = tuple(parts)

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
        found = [Photo(id="/".join(path.parts[-2:]), path=path) for _, path, _ in layout.find(self.root)]
        return [photo for photo in found if photo.id.split("/")[0] in self.parts]
