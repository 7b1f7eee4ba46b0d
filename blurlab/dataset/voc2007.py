"""PASCAL VOC 2007: 9,963 photographs of about 500x375 pixels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from blurlab.dataset.source import DataNotFound, Layout, Photo, Source

ARCHIVES = {"trainval": "VOCtrainval_06-Nov-2007.tar", "test": "VOCtest_06-Nov-2007.tar"}
PARTS = tuple(ARCHIVES)


class Voc2007(Source):
    """VOC 2007 as its authors pack it: ``VOCdevkit/VOC2007/JPEGImages/000001.jpg`` ...

    Which photographs a part has is read from ``ImageSets/Main/{trainval,test}.txt`` beside them. Ids are file names,
    and the photographs are split anew.

    Args:
        root: The folder ``VOCdevkit``, ``VOC2007`` or one that holds it.
        parts: The authors' parts to take; None takes every photograph and reads no list.

    Raises:
        ValueError: If a part is none of trainval, test.
    """

    name = "voc2007"
    site = "http://host.robots.ox.ac.uk/pascal/VOC/voc2007/"

    def __init__(self, root: str | os.PathLike[str], parts: Sequence[str] | None = PARTS) -> None:
        if parts is not None and (not parts or set(parts) - set(PARTS)):
            raise ValueError(f"parts must be some of {', '.join(PARTS)}, or None for all, got {list(parts)}")
        self.root = root
        self.parts = None if parts is None else tuple(parts)

    def photos(self) -> list[Photo]:
        """The photographs, each a group of its own.

        Raises:
            DataNotFound: If there is none, or the list of a part is missing or names photographs that are.
        """
        layout = Layout(
            set_name="VOC 2007",
            looks_for="VOCdevkit/VOC2007/JPEGImages/000001.jpg ...",
            site=self.site,
            folders=("VOCdevkit", "VOC2007"),
            places=(("VOCdevkit/VOC2007/JPEGImages",), ("VOC2007/JPEGImages",), ("JPEGImages",)),
            pattern=r"\d{6}\.jpg",
        )
        found = {path.stem: path for _, path, _ in layout.find(self.root)}
        names = set(found)
        if self.parts is not None:
            folder = next(iter(found.values())).parents[1]
            names = {name for part in self.parts for name in self._listed(folder, part, set(found))}
        return [Photo(id=found[name].name, path=found[name]) for name in sorted(names)]

    def _listed(self, folder: Path, part: str, there: set[str]) -> set[str]:
        """The names in a part's list, all of them among the photographs that are there."""
        path = folder / "ImageSets" / "Main" / f"{part}.txt"
        remedy = f"unpack {ARCHIVES[part]} from {self.site} there, or leave {part} out of parts"
        try:
            names = set(path.read_text(encoding="ascii", errors="replace").split())
        except OSError as error:
            raise DataNotFound(
                f"VOC 2007 lacks its part {part}: cannot read {path} ({error.strerror}); {remedy}"
            ) from error
        missing = sorted(names - there)
        if missing or not names:
            what = f"{len(missing)} photographs that are not there, {missing[0]} first" if missing else "no photograph"
            raise DataNotFound(f"VOC 2007 lacks its part {part}: {path} names {what}; {remedy}")
        return names
