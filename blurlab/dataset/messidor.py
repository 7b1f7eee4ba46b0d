"""Messidor: 1200 fundus photographs of three ophthalmologic departments, 1440x960 to 2304x1536 pixels."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from blurlab.dataset.source import Layout, Photo, Source, files_in

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

ANNOTATION_FILE = re.compile(r"Annotation[_ ](Base[1-3][1-4])\.(xls|csv)", re.IGNORECASE)
COLUMNS = ("Image name", "Ophthalmologic department", "Retinopathy grade", "Risk of macular edema")
WORST_RETINOPATHY = 3
WORST_EDEMA = 2


@dataclass(frozen=True)
class Annotation:
    """What the physicians said of one photograph.

    Attributes:
        department: The ophthalmologic department that took it.
        retinopathy_grade: 0 (normal) to 3.
        macular_edema_risk: 0 (none) to 2.
    """

    department: str
    retinopathy_grade: int
    macular_edema_risk: int


class Messidor(Source):
    """Messidor as it is handed out: twelve folders ``Base11`` ... ``Base34`` of 100 TIFFs each, or all in one folder.

    Each folder's ``Annotation_BaseNN.xls`` is read by :meth:`annotations`; identifying a blur does without it. The set
    does not say which photographs are of one person, so both eyes of one may fall in different splits, as in the
    paper's.

    Args:
        root: The set's folder, or a folder that holds it as ``messidor``, ``Messidor`` or ``fundus/messidor``.
        drop_duplicates: Leave out the 13 photographs of Base33 that the set's site lists as duplicates, so that no
            photograph is both trained on and tested on. With False all 1200 stay, and only duplicates of identical
            bytes are kept in one split.
    """

    name = "messidor"
    site = "https://www.adcis.net/en/third-party/messidor/"

    def __init__(self, root: str | os.PathLike[str], drop_duplicates: bool = True) -> None:
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

    def annotations(self) -> dict[str, Annotation]:
        """The annotation of each photograph, by the photograph's id, as written in the set's files.

        Looks beside the photographs and in the folder that holds their folders for ``Annotation_BaseNN.xls``, or where
        there is none for a ``.csv`` of the same columns. Rows of photographs that are left out or not there are passed
        over, as are photographs that no row names.

        Returns:
            Annotations by id; empty where there is no annotation file.

        Raises:
            DataNotFound: If there are no photographs.
            ValueError: If an annotation file cannot be read, lacks a column, or has a grade that the set does not know.
        """
        photos = self.photos()
        ids = {(_base_of(photo.id), PurePosixPath(photo.id).stem.lower()): photo.id for photo in photos}
        found: dict[str, Annotation] = {}
        for base, path in _annotation_files(photos).items():
            for name, annotation in read_annotations(path):
                stem = PurePosixPath(name).stem.lower()
                photo_id = ids.get((base, stem)) or ids.get(("", stem))
                if photo_id is not None:
                    found[photo_id] = annotation
        return found


def read_annotations(path: Path) -> Iterator[tuple[str, Annotation]]:
    """File name and annotation of each row of an ``Annotation_BaseNN`` file, Excel 97 or CSV in UTF-8.

    Raises:
        ValueError: If the file cannot be read, lacks a column, or has a grade that the set does not know.
    """
    rows = [[str(cell).strip() for cell in row] for row in (_xls if path.suffix.lower() == ".xls" else _csv)(path)]
    header = rows[0] if rows else []
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise ValueError(f"{path} has no column '{missing[0]}' in its first row; get the file anew from the set's site")
    places = [header.index(column) for column in COLUMNS]
    for number, row in enumerate(rows[1:], 2):
        if not any(row):
            continue
        name, department, *grades = (row[place] if place < len(row) else "" for place in places)
        if not name:
            raise ValueError(f"{path} has no image name in row {number}; mend the row or remove it")
        retinopathy, edema = (
            _grade(cell, worst, f"{path}, row {number}, {column}")
            for cell, worst, column in zip(grades, (WORST_RETINOPATHY, WORST_EDEMA), COLUMNS[2:], strict=True)
        )
        yield name, Annotation(department, retinopathy, edema)


def _base_of(photo_id: str) -> str:
    folder = PurePosixPath(photo_id).parent.name
    return folder.lower() if folder in BASES else ""


def _annotation_files(photos: list[Photo]) -> Mapping[str, Path]:
    """The annotation file of each base that has one; the official .xls goes before a .csv."""
    folders: dict[Path, None] = {}
    for photo in photos:
        assert photo.path is not None
        folders |= {photo.path.parent: None, photo.path.parents[photo.id.count("/")]: None}
    files: dict[str, Path] = {}
    for path in (path for folder in folders for path in files_in(folder)):
        match = ANNOTATION_FILE.fullmatch(path.name)
        if match and (match[2].lower() == "xls" or match[1].lower() not in files):
            files[match[1].lower()] = path
    return files


def _xls(path: Path) -> list[list[object]]:
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=path.read_bytes(), logfile=io.StringIO())
        sheet = book.sheet_by_index(0)
        return [sheet.row_values(row) for row in range(sheet.nrows)]
    except Exception as error:  # on a damaged file xlrd lets errors of many types through
        why = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path} is no whole Excel 97 file ({why}); get it anew from the set's site") from error


def _csv(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        delimiter = ";" if ";" in text.partition("\n")[0] else ","
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no CSV file in UTF-8 ({error}); save it anew as one") from error


def _grade(cell: str, worst: int, where: str) -> int:
    try:
        value = float(cell)  # Excel keeps whole numbers as floats
    except ValueError:
        value = -1.0
    if value not in range(worst + 1):
        raise ValueError(f"{where}: got '{cell}', expected a whole number from 0 to {worst}; mend the file")
    return int(value)
