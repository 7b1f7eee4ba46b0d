"""Oxford flowers: 8,189 photographs of 102 kinds of flowers, or 1,360 of 17; the short side has about 500 pixels."""

from __future__ import annotations

import os

from blurlab.dataset.source import Layout, Photo, Source

DIGITS_OF_102 = 5


class OxfordFlowers(Source):
    """The 102 category flower set as its authors pack it, ``jpg/image_00001.jpg`` ..., or flat; or the 17 category set.

    The authors' parts (``setid.mat``) are not read: photographs are split anew. Ids are file names. The 17 category
    set (``jpg/image_0001.jpg`` ...) unpacks into a folder of the same name; where both lie in one, the 102 are taken.

    Args:
        root: The folder that holds ``jpg``, that folder, or one that holds it as ``oxford_flowers``, ``102flowers``,
            ``flowers-102`` or ``17flowers``.
    """

    name = "oxford_flowers"
    site = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = root

    def photos(self) -> list[Photo]:
        """The photographs, each a group of its own."""
        layout = Layout(
            set_name="Oxford flowers",
            looks_for="jpg/image_00001.jpg ... (102flowers.tgz unpacked) or jpg/image_0001.jpg ... (17flowers.tgz)",
            site=self.site,
            folders=("oxford_flowers", "102flowers", "flowers-102", "17flowers"),
            places=(("jpg",), ("",)),
            pattern=r"image_(?P<number>\d{4,5})\.jpg",
        )
        found = layout.find(self.root)
        of_102 = [entry for entry in found if len(entry[2]["number"]) == DIGITS_OF_102]
        return [Photo(id=path.name, path=path) for _, path, _ in of_102 or found]
