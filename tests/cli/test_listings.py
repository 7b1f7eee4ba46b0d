"""The commands ``datasets`` and ``weights``: what is there, and what is not."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from blurlab.cli import main, shipped
from blurlab.run.command.names import options


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    main([*map(str, words)])
    return capsys.readouterr().out


def test_a_set_that_is_there_is_counted_and_the_others_are_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "stare").mkdir()
    for number in range(1, 4):
        (tmp_path / "stare" / f"im{number:04}.ppm").touch()
    out = said(capsys, "datasets", "--data-dir", tmp_path, "stare", "drive", "messidor", "fundus_synthetic")
    blocks = {block.split("\n")[0]: block for block in re.split(r"\n(?! )", out.rstrip("\n"))}
    assert [*blocks] == ["stare", "drive", "messidor", "fundus_synthetic"]
    assert f"found: stare, 3 photographs in {tmp_path / 'stare'}" in blocks["stare"]
    assert "STARE, 20 or 397 fundus photographs." in blocks["stare"] and "https://cecas" in blocks["stare"]
    assert f"in {tmp_path} and its subfolders" in blocks["drive"] and "https://drive.grand" in blocks["drive"]
    assert "set paths.data_dir (or BLURLAB_DATA) to the folder that it lies in" in blocks["drive"]
    assert "source: missing: Messidor" in blocks["messidor"] and "fallback: found" in blocks["messidor"]
    assert "drawn by the program" in blocks["fundus_synthetic"] and "http" not in blocks["fundus_synthetic"]


def test_every_member_is_listed_without_any_data(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLURLAB_DATA", str(tmp_path / "nowhere"))
    out = said(capsys, "datasets").splitlines()
    names = [line for line in out if not line.startswith(" ")]
    assert names == [*options("dataset"), "blurlab datasets NAME says where a set was looked for"]
    assert all(out[out.index(name) + 1].strip() for name in names[:-1])  # what it is
    missing = [line for line in out if line.lstrip().startswith(("missing: ", "source: missing: "))]
    assert missing and all(len(line) < 300 and ", from " in line for line in missing)
    assert str(tmp_path / "nowhere") in said(capsys, "datasets", "bsds500")


def test_every_file_of_weights_is_listed_with_its_bytes_and_its_card(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "weights")
    for one in shipped.shipped():
        assert f"{one.name}  {one.path.stat().st_size:,} bytes" in out
        assert hashlib.sha256(one.path.read_bytes()).hexdigest() in out
        assert len(one.about) > 40 and one.about in out
        assert f"for {one.taken_by}\n" in out
        assert said(capsys, "weights", one.name) == one.path.with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["datasets", "drvie"], "unknown dataset 'drvie', did you mean 'drive'?"),
        (["weights", "photo"], "unknown weights 'photo', did you mean 'photograph'?"),
    ],
)
def test_an_unknown_name_gets_one_line(capsys: pytest.CaptureFixture[str], words: list[str], what: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    out, err = capsys.readouterr()
    assert caught.value.code == 2 and out == "" and err == f"error: {what}\n"


def test_the_list_of_checksums_is_that_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remake = "cd blurlab && sha256sum */weights/*.safetensors > weights.sha256"
    assert shipped.faults() == [], f"where weights were changed on purpose: {remake}"
    lines = shipped.SUMS.read_text().splitlines()
    changed = [lines[0].replace(lines[0][:4], "0000", 1), *lines[2:], f"{'1' * 64}  head/weights/none.safetensors"]
    (tmp_path / "sums").write_text("\n".join(changed))
    monkeypatch.setattr(shipped, "SUMS", tmp_path / "sums")
    places = [line.split()[1] for line in lines]
    assert shipped.faults() == [
        "head/weights/none.safetensors is missing",
        f"{places[1]} is not listed in sums",
        f"{places[0]} is damaged or another",
    ]
