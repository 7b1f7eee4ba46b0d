"""Names of files: printed in one line, written whatever their length, and never two photographs in one file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from blurlab.core import file_names
from blurlab.core.file_names import check_apart, check_no_options, readable, targets
from blurlab.core.image_io import ImageReadError, read_image, write_image

LATIN1 = os.fsdecode(b"caf\xe9.png")
HARD_NAMES = {
    "80 CJK characters": "\u65e5" * 80 + ".png",
    "255 bytes": "x" * 251 + ".png",
    "255 bytes of two each": "x" + "\u00e9" * 125 + ".png",
    "latin-1": LATIN1,
    "newline": "a\nb.png",
    "dash": "-a.png",
    "markup": "[bold]a[red].png",
    "emoji": "\U0001f441" * 60 + ".png",
    "space": " a .png",
}


@pytest.mark.parametrize("name", HARD_NAMES.values(), ids=HARD_NAMES.keys())
def test_any_name_that_the_disk_takes_can_be_written_and_read(tmp_path: Path, name: str) -> None:
    image = np.full((4, 5, 1), 0.2)
    assert read_image(write_image(tmp_path / name, image)).shape == (4, 5, 1)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", HARD_NAMES.values(), ids=HARD_NAMES.keys())
def test_a_name_in_a_message_is_one_line_of_valid_text(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no image")
    with pytest.raises(ImageReadError) as caught:
        read_image(tmp_path / name)
    assert readable(name) in str(caught.value) and "\n" not in str(caught.value)
    str(caught.value).encode("utf-8")


def test_readable_names_are_those_of_the_files_where_they_can_be() -> None:
    for name in ("\u65e5\u672c.png", "a b.png", "\u00e9.png", "e\u0301.png", "[a].png"):
        assert readable(name) == name
    assert readable(LATIN1) == r"caf\xe9.png"
    assert readable("a\r\n\t\x1b[31m\u2028.png") == r"a\r\n\t\x1b[31m\u2028.png"


def test_a_photograph_is_overwritten_under_no_name(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path)
    os.link(photo, tmp_path / "copy.png")
    (tmp_path / "other").mkdir()
    os.link(photo, tmp_path / "other" / "photo.png")
    for path, out in (
        (photo, tmp_path / "link"),
        (tmp_path / "link" / "photo.png", tmp_path),
        (photo, tmp_path / "other"),
    ):
        with pytest.raises(ValueError, match=r"photo\.png would be overwritten"):
            targets([(path, Path(path.name))], out)
    with pytest.raises(ValueError, match=r"photo\.png would be overwritten"):  # by another's result
        targets([(photo, Path("new.png")), (tmp_path / "else" / "x.png", Path("photo.png"))], tmp_path)


def test_names_that_differ_in_capitals_alone_are_apart_where_the_disk_keeps_them_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = targets([(tmp_path / name, Path(name)) for name in ("a/Eye.png", "a/eye.png")], tmp_path)
    assert len(found) == 2
    check_apart(found, tmp_path)
    assert os.listdir(tmp_path) == []
    monkeypatch.setattr(file_names, "ignores_case", lambda folder: True)  # as the disk of a Mac does
    with pytest.raises(ValueError, match=r"a.Eye\.png and a.eye\.png are one file in"):
        check_apart(found, tmp_path)
    check_apart([tmp_path / "a.png", tmp_path / "b.png"], tmp_path)


def test_a_file_whose_name_begins_with_a_dash_is_no_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-a.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"-a\.png is read as an option; write \./-a\.png"):
        check_no_options(["b.png", "-a.png"])
    check_no_options(["--run", "x", "./-a.png", "--", "-a.png"])
