"""The physicians' annotations of Messidor, and its duplicates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny_sets as tiny
import xlwt

from blurlab.dataset import Messidor, make_split
from blurlab.dataset.messidor import DUPLICATES, Annotation

HEADER = ["Image name", "Ophthalmologic department", "Retinopathy grade", "Risk of macular edema "]
FIRST, SECOND = "20051201_40001_0100_PP.tif", "20051201_40002_0100_PP.tif"
ROWS: list[list[Any]] = [[FIRST, "Service Ophtalmologie Lariboisière", 3, 1], [SECOND, "CHU de St Etienne", 0, 2]]
EXPECTED = [Annotation("Service Ophtalmologie Lariboisière", 3, 1), Annotation("CHU de St Etienne", 0, 2)]


def put_xls(path: Path, rows: list[list[Any]]) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Feuil1")
    for number, row in enumerate([HEADER, *rows]):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    book.save(str(path))


def put_csv(path: Path, rows: list[list[Any]], delimiter: str = ",") -> None:
    lines = [delimiter.join(map(str, row)) for row in [HEADER, *rows]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("place", ["Base11", "."])
@pytest.mark.parametrize("form", ["xls", "XLS", "csv", "csv;"])
def test_annotations_by_photo_id(tmp_path: Path, form: str, place: str) -> None:
    tiny.put_all(tmp_path / "Messidor", tiny.MESSIDOR)
    path = tmp_path / "Messidor" / place / f"Annotation_Base11.{form.strip(';')}"
    if form.lower() == "xls":
        put_xls(path, ROWS)
    else:
        put_csv(path, ROWS, ";" if form == "csv;" else ",")
    found = Messidor(tmp_path).annotations()
    assert found == {f"Base11/{FIRST}": EXPECTED[0], f"Base11/{SECOND}": EXPECTED[1]}
    assert set(found) < {photo.id for photo in Messidor(tmp_path).photos()}


def test_annotations_of_a_flat_copy_converted_to_png(tmp_path: Path) -> None:
    tiny.put_all(tmp_path, [Path(FIRST).with_suffix(".png").name])
    put_xls(tmp_path / "Annotation_Base11.xls", ROWS)
    put_csv(tmp_path / "Annotation_Base12.csv", [["20051201_99999_0100_PP.tif", "elsewhere", 1, 1]])
    assert Messidor(tmp_path).annotations() == {Path(FIRST).with_suffix(".png").name: EXPECTED[0]}


def test_a_row_belongs_to_the_base_of_its_file_and_the_official_file_goes_first(tmp_path: Path) -> None:
    tiny.put_all(tmp_path, [f"Base11/{FIRST}", f"Base12/{FIRST}"])
    put_csv(tmp_path / "Base11" / "Annotation_Base11.csv", [[FIRST, "a copy", 0, 0]])
    put_xls(tmp_path / "Base11" / "Annotation_Base11.xls", ROWS)
    assert Messidor(tmp_path).annotations() == {f"Base11/{FIRST}": EXPECTED[0]}


def test_no_annotation_file_is_no_error(tmp_path: Path) -> None:
    tiny.put_all(tmp_path, tiny.MESSIDOR)
    assert Messidor(tmp_path).annotations() == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Image name,Retinopathy grade\na.tif,1\n", "no column 'Ophthalmologic department'"),
        ("", "no column 'Image name'"),
        (",".join(HEADER) + f"\n{FIRST},x,4,0\n", "row 2, Retinopathy grade: got '4', expected .* 0 to 3"),
        (",".join(HEADER) + f"\n{FIRST},x,1,\n", "row 2, Risk of macular edema: got '', expected .* 0 to 2"),
        (",".join(HEADER) + f"\n\n{FIRST},x,0.5,1\n", "row 3, Retinopathy grade: got '0.5'"),
        (",".join(HEADER) + f"\n{FIRST},x,nan,1\n", "got 'nan'"),
        (",".join(HEADER) + "\n,x,1,1\n", "no image name in row 2"),
        (",".join(HEADER) + f'\n"{FIRST},x,1,1\n', "no CSV file in UTF-8"),
    ],
)
def test_a_malformed_csv_is_named_in_one_line(tmp_path: Path, text: str, why: str) -> None:
    tiny.put_all(tmp_path, tiny.MESSIDOR)
    path = tmp_path / "Base11" / "Annotation_Base11.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=why) as caught:
        Messidor(tmp_path).annotations()
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_damaged_file_is_named_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.put_all(tmp_path, tiny.MESSIDOR)
    path = tmp_path / "Annotation_Base11.xls"
    put_xls(path, ROWS)
    whole = path.read_bytes()
    for damaged in (b"", b"no workbook", whole[: len(whole) // 2], whole[:600], b"PK\x03\x04" + bytes(200)):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="no whole Excel 97 file") as caught:
            Messidor(tmp_path).annotations()
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    path.unlink()
    path.with_suffix(".csv").write_bytes("Lariboisière".encode("cp1252"))
    with pytest.raises(ValueError, match="no CSV file in UTF-8"):
        Messidor(tmp_path).annotations()
    assert capsys.readouterr().out == ""


def test_duplicates_are_in_no_split_unless_asked_for(tmp_path: Path) -> None:
    known = [f"Base33/{name}" for name in sorted(DUPLICATES)]
    tiny.put_all(tmp_path, [*tiny.MESSIDOR, *known])
    put_csv(tmp_path / "Base33" / "Annotation_Base33.csv", [[Path(known[0]).name, "x", 0, 0]])
    split = make_split(Messidor(tmp_path))
    assert sorted(photo.id for part in (split.train, split.val, split.test) for photo in part) == tiny.MESSIDOR
    assert Messidor(tmp_path).annotations() == {}
    assert len(known) == 13 and len(Messidor(tmp_path, drop_duplicates=False).photos()) == 24 + 13
    assert list(Messidor(tmp_path, drop_duplicates=False).annotations()) == known[:1]
