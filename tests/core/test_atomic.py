"""Files are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from blurlab.core.atomic import write_text


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space")

    path = write_text(tmp_path / "new" / "a.md", "é\n")
    monkeypatch.setattr("blurlab.core.atomic.os.replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_text(path, "other")
    assert path.read_bytes() == "é\n".encode() and [p.name for p in path.parent.iterdir()] == ["a.md"]


def test_the_draft_of_a_long_name_is_no_longer_than_the_disk_allows(tmp_path: Path) -> None:
    for name in ("\u65e5" * 85, "\U0001f441" * 63, "x" * 255, os.fsdecode(b"\xe9" * 255)):
        assert write_text(tmp_path / name, "whole").read_bytes() == b"whole"
    assert len(os.listdir(tmp_path)) == 4
