"""Messidor: 1200 fundus photographs of three ophthalmologic departments, 1440x960 to 2304x1536 pixels."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from blurlab.dataset.source import Layout, Photo, Source

BASES = tuple(f"Base{department}{part}" for department in (1, 2, 3) for part in (1, 2, 3, 4))

# listed on the set's site as duplicates of other photographs of Base33
DUPLICATES = frozenset(
    f"{number}_0400_PP.tif"
    for number in (
        *("20051202_55582", "20051202_41076", "20051202_48287", "20051202_48586", "20051202_55457"),
        *("20051202_55626", "20051202_54783", "20051202_48575", "20051205_32966", "20051202_55484"),
        *("20051205_32981", "20051202_55562", "20051202_54547"),
    )
)


class Messidor(Source):
    """Messidor as it is handed out: twelve folders ``Base11`` ... ``Base34`` of 100 TIFFs each, or all in one folder.

    The grades in ``Annotation_BaseNN.xls`` are not read: the task here is the blur. The set does not say which
    photographs are of one person, so both eyes of one may fall in different splits, as in the paper's.

    Args:
        root: The set's folder, or a folder that holds it as ``messidor``, ``Messidor`` or ``fundus/messidor``.
        drop_duplicates: Leave out the 13 photographs of Base33 that the set's site lists as duplicates. Without it
            all 1200 stay, and duplicates of identical bytes are kept in one split.
    """

    name = "messidor"
    site = "https://www.adcis.net/en/third-party/messidor/"

    def __init__(self, root: str | os.PathLike[str], drop_duplicates: bool = False) -> None:
        self.root = root
        self.drop_duplicates = drop_duplicates

    def photos(self) -> list[Photo]:
        """The photographs, each a group of its own."""
        layout = Layout(
            set_name="Messidor",
            looks_for="Base11/*.tif ... Base34/*.tif, or these files in one folder",
            site=self.site,
            folders=("messidor", "Messidor"),
            places=(BASES, ("",), ("images",)),
            pattern=r"\d{8}_\d+_0\d00_PP\.(tif|tiff|png)",
        )
        found = [Photo(id=name, path=path) for name, path, _ in layout.find(self.root)]
        if not self.drop_duplicates:
            return found
        return [photo for photo in found if PurePosixPath(photo.id).name not in DUPLICATES]
