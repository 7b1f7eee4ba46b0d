"""Many photographs by one command: folders, bad files, tables, going on after a stop."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from stand_in_run import Says, photo, tool, trained

from blurlab import api
from blurlab.cli import main
from blurlab.cli.journal import NAME, Journal
from blurlab.cli.rows import Row
from blurlab.core import image_io
from blurlab.core.image_io import write_image

BLURRED, SHARP = (0.01, 0.01, 0.98), (0.8, 0.1, 0.1)


def deblur(*words: object) -> int:
    """The status that the command ends with."""
    try:
        main(["deblur", *map(str, words), "--run", "a run"])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six photographs in three folders, and three files that are none."""
    root = tmp_path / "in"
    (root / "b" / "c").mkdir(parents=True)
    pixels = (photo() * 255).astype(np.uint8)
    Image.fromarray(pixels).save(root / "one.png")
    Image.fromarray(pixels).save(root / "b" / "one.JPG", quality=90)
    Image.fromarray(np.dstack([pixels, pixels[..., 0]])).save(root / "b" / "alpha.png")
    tifffile.imwrite(root / "b" / "c" / "deep.tif", (photo() * 65535).astype(np.uint16), photometric="rgb")
    tifffile.imwrite(root / "b" / "c" / "float.tif", photo(), photometric="rgb")
    Image.fromarray(pixels[..., 0]).save(root / "b" / "grey.png")
    (root / "b" / "bad.jpg").write_bytes(b"no photograph")
    (root / "cut.png").write_bytes((root / "one.png").read_bytes()[:900])
    (root / "small.png").write_bytes(b"")
    (root / "notes.txt").write_text("none")
    (root / ".hidden.png").write_bytes(b"none")
    return root


GOOD = ["b/alpha.png", "b/c/deep.tif", "b/c/float.tif", "b/grey.png", "b/one.JPG", "one.png"]


def files(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file() and path.name != NAME)


def test_a_folder_keeps_its_structure_and_bad_files_are_listed_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert deblur(folder, "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert files(tmp_path / "out") == GOOD and out.count("\n") == len(GOOD)
    lines = err.splitlines()
    assert [line for line in lines if "/9 " in line] == lines[:9]  # a line a file
    assert lines[9] == "3 of 9 files could not be used:" and len(lines) == 13
    assert all(line.startswith("error: ") for line in lines[10:])
    assert all(name in err.split("used:")[1] for name in ("b/bad.jpg", "cut.png", "small.png"))
    assert {path: path.read_bytes() for path in before} == before
    for name in GOOD:
        assert (tmp_path / "out" / name).read_bytes() != before[folder / name]


def test_what_is_not_restored_is_copied_bit_by_bit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*SHARP)))
    deblur(folder, "-o", tmp_path / "out")
    assert capsys.readouterr().out.count("; unchanged: no blur was found -> ") == len(GOOD)
    for name in GOOD:
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()


def test_results_within_the_folder_are_not_taken_for_photographs(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    tool(monkeypatch, trained(Says(*SHARP)))
    monkeypatch.chdir(folder)
    deblur(".")
    deblur(".")
    deblur("**/*.png")
    assert files(Path("deblurred")) == GOOD


def test_a_pattern_keeps_what_is_below_its_first_sign(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*SHARP)))
    assert deblur(folder / "b" / "**" / "*.tif", "-o", tmp_path / "out") == 0
    assert files(tmp_path / "out") == ["c/deep.tif", "c/float.tif"]
    shutil.copy(folder / "one.png", folder / "a[1].png")  # a name, not a pattern
    assert deblur(folder / "a[1].png", "-o", tmp_path / "named") == 0
    assert files(tmp_path / "named") == ["a[1].png"]


def test_a_pattern_that_leads_out_of_its_folder_is_refused_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*SHARP)))
    shutil.copytree(folder, tmp_path / "other")
    before = {*tmp_path.rglob("*")}
    assert deblur(folder / "*" / ".." / ".." / "other" / "*.png", "-o", tmp_path / "out" / "deep") == 2
    assert "leads out of what it matches, and its results would lie outside --out" in capsys.readouterr().err
    assert {*tmp_path.rglob("*")} == before
    monkeypatch.chdir(folder / "b")
    assert deblur(Path("..", "*.png"), "-o", tmp_path / "out") == 1  # before the first sign it may; two are damaged
    assert "one.png" in files(tmp_path / "out")


def test_a_photograph_that_is_not_there_is_listed_and_the_others_are_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*SHARP)))
    assert deblur(folder / "nowhere.png", folder / "one.png", "-o", tmp_path / "out") == 1
    assert files(tmp_path / "out") == ["one.png"]
    assert capsys.readouterr().err.endswith("nowhere.png does not exist; check the path\n")


def test_the_table_has_a_row_a_file(monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    for ending in ("csv", "jsonl"):
        assert deblur(folder, "-o", tmp_path / ending, "--table", tmp_path / f"t.{ending}") == 1
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [Path(row["file"]).name for row in rows] == [Path(line["file"]).name for line in lines] and len(rows) == 9
    for row, line in zip(rows, lines, strict=True):
        if row["error"]:
            assert row["kind"] == row["output"] == "" and row["restored"] == "false" and line["error"]
            continue
        assert row["kind"] == line["kind"] == "taps" and float(row["probability"]) == line["probability"] == 0.99
        assert float(row["strength_px"]) == 5 and float(row["strength_low_px"]) == 5
        assert row["restored"] == "true" and line["restored"] is True and row["reason"] == ""
        assert float(row["seconds"]) > 0 and line["sigma"] == float(row["sigma"]) > 0
        (name, one), *_ = line["parameters"].items()
        assert float(row[name]) == one["value"] and {f"{name}_low", f"{name}_high"} <= {*row}


def test_ctrl_c_leaves_what_is_done_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    out, table = tmp_path / "out", tmp_path / "t.csv"
    tool(monkeypatch, trained(Says(*BLURRED)))
    whole, seen = api.Deblurrer.deblur, []

    def stopped(self: api.Deblurrer, *args: object) -> object:
        seen.append(1)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return whole(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(api.Deblurrer, "deblur", stopped)
    assert deblur(folder, "-o", out, "--table", table) == 130
    err = capsys.readouterr().err
    assert "stopped: 3 of 9 photographs are done and whole" in err
    assert f"to go on: blurlab deblur {folder} -o {out} --table {table} --run 'a run' --resume" in err
    done = files(out)
    times = {name: (out / name).stat().st_mtime_ns for name in done}
    assert len(done) == 3 and table.read_text().count("\n") == 7  # the head, three results and three bad files
    assert deblur(folder, "-o", out, "--table", table, "--resume") == 1
    assert len(seen) == 4 + 3 and files(out) == GOOD
    assert {name: (out / name).stat().st_mtime_ns for name in done} == times
    out_, err = capsys.readouterr()
    assert "3 of 9 photographs were done before" in err and out_.count("->") == 3
    with open(table, newline="") as file:
        assert [row["kind"] for row in csv.DictReader(file)].count("taps") == len(GOOD)


def test_a_file_that_is_no_result_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    out = tmp_path / "out"
    (out / "b").mkdir(parents=True)
    mine = out / "b" / "grey.png"
    shutil.copy(folder / "one.png", mine)
    before = mine.read_bytes()
    assert deblur(folder, "-o", out) == 2
    assert f"{mine} is there and is no result of blurlab, so it is not replaced" in capsys.readouterr().err
    assert mine.read_bytes() == before and files(out) == ["b/grey.png"]
    mine.unlink()
    assert deblur(folder / "one.png", "-o", out) == 0 == deblur(folder / "one.png", "-o", out)  # a result is


def test_a_result_that_was_written_as_the_user_stopped_is_one(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    words = folder / "one.png", "-o", tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "add", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert deblur(*words) == 130 and files(tmp_path / "out") == ["one.png"]
    assert deblur(*words, "--resume") == 0


def test_a_photograph_that_was_noted_before_the_stop_is_not_done_again(tmp_path: Path) -> None:
    photo, target = tmp_path / "in.png", tmp_path / "a.png"
    for path in (photo, target):
        path.write_bytes(b"")
    journal = Journal(tmp_path, {})
    journal.add(photo, target, Row("in.png"))
    journal.claim(target)  # the user stopped just then
    assert Journal(tmp_path, {}).done(photo, target) == Row("in.png")


def test_no_kernel_is_written_over_a_photograph(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    one, out = folder / "one.png", tmp_path / "out"
    before = one.read_bytes()
    for kernel in (one, folder / "b" / ".." / "one.png", out / "one.png"):
        assert deblur(one, "-o", out, "--save-kernel", kernel) == 2
        assert "would be written over" in capsys.readouterr().err
    shutil.copy(one, folder / "one.png.tif")
    assert deblur(one, folder / "one.png.tif", "-o", out, "--save-kernel", folder) == 2
    assert one.read_bytes() == before == (folder / "one.png.tif").read_bytes() and not out.exists()


def test_a_kernel_or_a_page_asked_for_later_is_made_or_said_to_lack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    net = Says(*BLURRED)
    tool(monkeypatch, trained(net))
    out, kernels = tmp_path / "out", tmp_path / "k"
    words = (folder / "one.png", folder / "b" / "grey.png", "-o", out, "--resume")
    assert deblur(*words) == 0 and deblur(*words, "--save-kernel", kernels) == 0
    assert sorted(path.name for path in kernels.iterdir()) == ["grey.png.tif", "one.png.tif"]
    (kernels / "one.png.tif").unlink()
    net.seen.clear()
    capsys.readouterr()
    assert deblur(*words, "--save-kernel", kernels, "--page") == 0 and len(net.seen) == 1
    out_, err = capsys.readouterr()
    assert "page: " in out_ and "not on the page: 1 photographs that were done before" in err
    assert deblur(*words, "--save-kernel", kernels, "--page") == 0 and len(net.seen) == 1
    assert "not on the page: 2 photographs" in capsys.readouterr().err


def test_only_what_is_done_alike_is_left_out(monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> None:
    net = Says(*BLURRED)
    tool(monkeypatch, trained(net))
    out = tmp_path / "out"

    def asked(*words: object) -> int:
        net.seen.clear()
        deblur(folder / "one.png", folder / "b" / "grey.png", "-o", out, "--resume", *words)
        return len(net.seen)

    assert asked() == 2 and asked() == 0
    assert asked("--strength", "0.5") == 2  # other options
    assert asked("--strength", "0.5") == 0
    os.truncate(out / "one.png", 20)  # a result that is not whole
    assert asked("--strength", "0.5") == 1
    write_image(folder / "one.png", photo()[::-1])  # another photograph
    assert asked("--strength", "0.5") == 1
    (out / "grey.png").unlink()
    assert asked("--strength", "0.5") == 1
    data = (out / NAME).read_bytes()
    (out / NAME).write_bytes(data[: data.rindex(b'"row"')])  # the last line was cut short: that of grey.png
    assert asked("--strength", "0.5") == 1 and asked("--strength", "0.5") == 0


def test_a_damaged_journal_says_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b'\xff\n[]\n{"place": "a.png", "options": {}, "source": 1}\n{"place"')
    (tmp_path / "a.png").write_bytes(b"")
    assert Journal(tmp_path, {}).done(tmp_path / "a.png", tmp_path / "a.png") is None


def test_a_full_disk_stops_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    assert deblur(folder, "-o", tmp_path / "out") == 2
    out, err = capsys.readouterr()
    assert out == "" and "No space left on device" in err and err.count("error:") == 1


def test_a_fault_in_one_photograph_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    whole = api.Deblurrer.deblur

    def fails(self: api.Deblurrer, image: np.ndarray, *args: object) -> object:
        if image.shape[2] == 1:
            raise RuntimeError("not enough memory:\nyou tried")
        return whole(self, image, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(api.Deblurrer, "deblur", fails)
    assert deblur(folder / "b" / "grey.png", folder / "one.png", "-o", tmp_path / "out") == 1
    assert files(tmp_path / "out") == ["one.png"]
    assert "b/grey.png: not enough memory: you tried" in capsys.readouterr().err


def test_a_known_kernel_is_undone_and_written(monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> None:
    net = Says(*SHARP)
    tool(monkeypatch, trained(net))
    kernel = np.zeros((3, 5), np.float32)
    kernel[1] = 0.2
    np.save(tmp_path / "k.npy", kernel)
    words = ("--kernel", tmp_path / "k.npy", "--save-kernel", tmp_path / "k.tif", "-o", tmp_path / "out")
    assert deblur(folder / "one.png", *words) == 0
    assert net.seen == []
    np.testing.assert_allclose(tifffile.imread(tmp_path / "k.tif"), kernel)
    assert (tmp_path / "out" / "one.png").read_bytes() != (folder / "one.png").read_bytes()
    assert deblur(folder / "b" / "c", "--kernel", tmp_path / "k.tif", "--save-kernel", tmp_path / "ks", *words[4:]) == 0
    assert files(tmp_path / "ks") == ["deep.tif.tif", "float.tif.tif"]


def test_strength_is_a_share_of_the_restoration(monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    results = {}
    for strength in (0, 0.5, 1):
        deblur(folder / "b" / "c" / "float.tif", "--strength", strength, "-o", tmp_path / str(strength))
        results[strength] = tifffile.imread(tmp_path / str(strength) / "float.tif")
    np.testing.assert_allclose(results[0.5], (results[0] + results[1]) / 2, atol=1e-6)
    assert (tmp_path / "0" / "float.tif").read_bytes() == (folder / "b" / "c" / "float.tif").read_bytes()
    assert np.abs(results[1] - results[0]).max() > 0.05


def test_a_mask_says_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    mask = np.zeros((70, 81), np.uint8)
    mask[:, 40:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(np.zeros((90, 90), np.uint8)).save(folder / "b" / "c" / "other.png")
    assert deblur(folder / "b" / "c", "--mask", tmp_path / "mask.png", "-o", tmp_path / "out") == 1
    assert "other.png: mask must be (H, W) = (90, 90)" in capsys.readouterr().err
    result = tifffile.imread(tmp_path / "out" / "float.tif")
    np.testing.assert_array_equal(result[:, :40], photo()[:, :40])
    assert np.abs(result - photo())[:, 40:].max() > 0.05


def test_a_photograph_is_read_when_the_one_before_is_done(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    events: list[str] = []
    read, work = image_io.read_scaled, api.Deblurrer.deblur
    monkeypatch.setattr(
        image_io, "read_scaled", lambda *args, **options: [events.append("read"), read(*args, **options)][1]
    )
    monkeypatch.setattr(api.Deblurrer, "deblur", lambda *args: [events.append("restored"), work(*args)][1])
    deblur(folder / "b" / "c", "-o", tmp_path / "out")
    assert events == ["read", "restored"] * 2


def test_identify_prints_and_tabulates_and_writes_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    before = sorted(folder.rglob("*"))
    with pytest.raises(SystemExit) as end:
        main(["identify", str(folder), "--run", "a run", "--table", str(tmp_path / "t.jsonl")])
    assert end.value.code == 1 and sorted(folder.rglob("*")) == before
    out, err = capsys.readouterr()
    assert out.count(": taps 5.00 px") == len(GOOD) and err.count("error: ") == 3
    rows = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [row["kind"] for row in rows].count("taps") == len(GOOD) and len(rows) == 9


def test_a_longer_blur_than_max_length_is_copied_with_the_reason(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tool(monkeypatch, trained(Says(*BLURRED)))
    words = folder / "one.png", "-o", tmp_path / "o", "--resume"
    assert deblur(*words, "--max-length", 4.9) == 0
    assert "unchanged: its blur is longer than the 4.9 px that may be undone" in capsys.readouterr().out
    assert (tmp_path / "o" / "one.png").read_bytes() == (folder / "one.png").read_bytes()
    assert deblur(*words, "--max-length", 5) == 0  # another option: it is done again
    assert "unchanged" not in capsys.readouterr().out
    assert deblur(*words, "--max-length", 0) == 2
