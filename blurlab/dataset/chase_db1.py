"""CHASE_DB1: 28 fundus photographs of 999x960 pixels, both eyes of 14 children."""

from __future__ import annotations

import os

from blurlab.dataset.source import Layout, Photo, Source


class ChaseDb1(Source):
    """CHASE_DB1 as its authors pack it: ``Image_01L.jpg``, ``Image_01R.jpg`` ... in one folder.

    Args:
        root: The set's folder, or a folder that holds it as ``chase_db1``, ``CHASEDB1`` or ``fundus/chase_db1``.
    """

    name = "chase_db1"
    site = "https://researchdata.kingston.ac.uk/96/"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = root

    def photos(self) -> list[Photo]:
        """The photographs; both eyes of a child are one group."""
        layout = Layout(
            set_name="CHASE_DB1",
            looks_for="Image_01L.jpg, Image_01R.jpg ...",
            site=self.site,
            folders=("chase_db1", "CHASEDB1"),
            places=(("",), ("images",)),
            pattern=r"Image_(?P<child>\d{2})[LR]\.(jpg|jpeg|png)",
        )
        return [
            Photo(id=name, group=f"child {match['child']}", path=path) for name, path, match in layout.find(self.root)
        ]
