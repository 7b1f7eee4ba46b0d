"""HRF: 45 fundus photographs of 3504x2336 pixels, 15 each healthy, with retinopathy and with glaucoma."""

from __future__ import annotations

import os

from blurlab.dataset.source import Layout, Photo, Source


class Hrf(Source):
    """HRF as its authors pack it: ``images/01_h.jpg``, ``images/01_dr.JPG``, ``images/01_g.jpg``; or flat.

    Args:
        root: The set's folder, or a folder that holds it as ``hrf``, ``HRF`` or ``fundus/hrf``.
    """

    name = "hrf"
    site = "https://www5.cs.fau.de/research/data/fundus-images/"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = root

    def photos(self) -> list[Photo]:
        """The photographs, each a group of its own: 45 people."""
        layout = Layout(
            set_name="HRF",
            looks_for="images/01_h.jpg, images/01_dr.JPG, images/01_g.jpg ...",
            site=self.site,
            folders=("hrf", "HRF"),
            places=(("images",), ("",)),
            pattern=r"\d{2}_(h|dr|g)\.(jpg|jpeg|png|tif|tiff)",
        )
        return [Photo(id=name, path=path) for name, path, _ in layout.find(self.root)]
