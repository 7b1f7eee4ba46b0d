"""The command ``deblur``: what it writes and says, file names of every kind, and what it refuses."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from stand_in_run import Says, photo, tool, trained

from blurlab.cli import main
from blurlab.cli.batch import progress_bar
from blurlab.cli.journal import NAME
from blurlab.core.image_io import read_image, write_image
from blurlab.noise import estimate_sigma


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "left" / "eye.png", tmp_path / "right" / "eye.png"]
    for path in paths:
        path.parent.mkdir()
        write_image(path, photo())
    return paths


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one line of error that the command ends with."""
    with pytest.raises(SystemExit) as caught:
        main(["deblur", *map(str, words)])
    out, err = capsys.readouterr()
    assert caught.value.code == 2 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1, err
    return err


@pytest.mark.parametrize(
    ("net", "what"),
    [
        (
            Says(0.4, 0.3, 0.3),
            "none, probability 0.400, {noise}; unchanged: no blur was found",
        ),
        (
            Says(0.01, 0.01, 0.98),
            "taps 5.00 px (90 % interval 5.00 to 5.00), probability 0.990, kernel of 5.00 px, {noise}",
        ),
    ],
    ids=["sharp", "blurred"],
)
def test_the_command_writes_the_photograph_and_says_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], photos: list[Path], net: Says, what: str
) -> None:
    tool(monkeypatch, trained(net))
    out = photos[0].parents[1] / "out"
    main(["deblur", str(photos[0]), "--run", "a run", "--out", str(out)])
    y = torch.from_numpy(read_image(photos[0])).permute(2, 0, 1)[None]
    noise = float(estimate_sigma(y))
    assert capsys.readouterr().out == f"{photos[0]}: {what.format(noise=f'noise {noise:.4f}')} -> {out / 'eye.png'}\n"
    assert read_image(out / "eye.png").shape == (70, 81, 3)


def test_the_command_takes_and_prints_names_of_every_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool(monkeypatch, trained(Says(0.4, 0.3, 0.3)))
    monkeypatch.chdir(tmp_path)
    names = ["caf\udce9.png", "a\nb.png", "\u65e5" * 80 + ".png", "-a.png", "Eye.png", "eye.png"]
    for name in names:
        write_image(Path(name), photo())
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", terminal)
    main(["deblur", *(f"./{name}" for name in names), "--run", "a run"])
    terminal.flush()
    lines = terminal.buffer.getvalue().decode("ascii").splitlines()
    assert [line.split(": none")[0] for line in lines[:2]] == [r"caf\xe9.png", r"a\nb.png"] and len(lines) == len(names)
    assert sorted(os.listdir("deblurred")) == sorted([*names, NAME])


def test_a_name_that_looks_like_an_option_gets_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    write_image(Path("-a.png"), photo())
    assert "write ./-a.png" in said(capsys, "-a.png", "--run", "nowhere")


def test_markup_in_a_name_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar("[bold]eye.png") as progress:
        progress(0.5)
    assert "[bold]eye.png" in capsys.readouterr().err


def test_a_deep_file_keeps_its_grey_levels_and_they_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(0.01, 0.01, 0.98), "grey"))
    values = np.random.default_rng(0).integers(0, 4096, (70, 81), dtype=np.uint16)
    values[0, 0] = 4095
    for name, container in (("word", np.uint16), ("long", np.uint32)):
        tifffile.imwrite(tmp_path / f"{name}.tif", values.astype(container))
        main(["deblur", str(tmp_path / f"{name}.tif"), "--run", "a run", "-o", str(tmp_path / "out")])
        assert f"{name}.tif (white is 4095, from the 12 bits" in capsys.readouterr().out
        written = tifffile.imread(tmp_path / "out" / f"{name}.tif")
        assert written.dtype == container and written.max() == 4095 and not np.array_equal(written, values)


def test_two_photographs_of_one_name_are_refused_before_any_work(
    capsys: pytest.CaptureFixture[str], photos: list[Path], tmp_path: Path
) -> None:
    err = said(capsys, *photos, "--run", tmp_path / "no run", "--out", tmp_path / "out")
    assert all(str(path) in err for path in photos) and str(tmp_path / "out" / "eye.png") in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["a.png", "--run", "nowhere", "--sigma", "-1"], "sigma is a standard deviation"),
        (["a.png", "--run", "nowhere", "--sigma", "nan"], "sigma is a standard deviation"),
        (["a.png", "--run", "nowhere", "--sigma", "much"], "invalid float value: 'much'"),
        (["a.png", "--run", "nowhere", "--tile", "3"], "tile must be a number in [16, 1e+06], got 3"),
        (["a.png", "--run", "nowhere"], "nowhere is no run directory"),
        (["a.png", "--run", "nowhere", "--strength", "1.5"], "strength must be from 0"),
        (["a.png", "--run", "nowhere", "--table", "x.txt"], "--table x.txt must end in one of .csv, .jsonl"),
        (["a.png", "--run", "nowhere", "--save-kernel", "k.jpg"], "k.jpg: a kernel's file must end in one of"),
        (["a*.png", "--run", "nowhere"], "no photograph in a*.png"),
        (["--run", "nowhere"], "required: photo"),
        (["a.png", "--method", "tvv"], "invalid choice: 'tvv'"),
        (["a.png", "--run", "nowhere", "--frobnicate"], "unknown option '--frobnicate'"),
    ],
)
def test_a_wrong_word_gets_one_line(capsys: pytest.CaptureFixture[str], words: list[str], line: str) -> None:
    assert line in said(capsys, *words)


def test_a_method_is_used_and_kept_in_the_side_file(photos: list[Path], tmp_path: Path) -> None:
    kernel, made = tmp_path / "kernel.npy", {}
    np.save(kernel, np.full((1, 5), 0.2, np.float32))
    for method in ("auto", "tv", "wiener"):
        out = tmp_path / method
        words = ["--kernel", str(kernel), "--sigma", "0.01", "--method", method, "--out", str(out)]
        main(["deblur", str(photos[0]), *words])
        made[method] = read_image(out / "eye.png")
        assert json.loads((out / NAME).read_text().splitlines()[-1])["options"]["method"] == method
    for one, other in (("auto", "tv"), ("auto", "wiener"), ("tv", "wiener")):
        assert not np.array_equal(made[one], made[other])


def test_of_a_sweep_a_run_must_be_named(capsys: pytest.CaptureFixture[str], photos: list[Path], tmp_path: Path) -> None:
    for job in ("0", "1"):
        (tmp_path / "sweep" / job / ".hydra").mkdir(parents=True)
        (tmp_path / "sweep" / job / ".hydra" / "config.yaml").touch()
    err = said(capsys, photos[0], "--run", tmp_path / "sweep", "--out", tmp_path / "out")
    assert f"it holds several: name one of them, as {tmp_path / 'sweep' / '0'}" in err


def test_a_photograph_is_not_overwritten(capsys: pytest.CaptureFixture[str], photos: list[Path]) -> None:
    before = photos[0].read_bytes()
    assert "would be overwritten" in said(capsys, photos[0], "--run", "a run", "--out", photos[0].parent)
    assert photos[0].read_bytes() == before


@pytest.mark.parametrize(
    ("command", "word"), [("deblur", "--sigma"), ("table", "messidor_hier"), ("report", "REPORT.md")]
)
def test_each_command_prints_its_own_help(capsys: pytest.CaptureFixture[str], command: str, word: str) -> None:
    try:
        main([command, "--help"])
    except SystemExit as end:
        assert end.code == 0
    out, err = capsys.readouterr()
    assert f"blurlab {command}" in out and word in out and "groups and their members" not in out and err == ""
