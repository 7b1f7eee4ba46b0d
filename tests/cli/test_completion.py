"""Shell completion: what bash offers after the beginning of a word."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blurlab.cli import main
from blurlab.cli.completion import SHELLS
from blurlab.cli.entry import VERBS


def test_without_shtab_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(SystemExit) as caught:
        main(["completion", "bash"])
    out, err = capsys.readouterr()
    assert caught.value.code == 2 and out == ""
    assert err == (
        "error: completion needs the package shtab, which is not there; pip install 'blurlab-toolbox[completion]'\n"
    )


def test_every_verb_has_a_parser_of_its_own() -> None:
    assert {name: verb.parser().prog for name, verb in VERBS.items()} == {name: f"blurlab {name}" for name in VERBS}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_given_every_verb(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab", reason="needs the extra completion")
    main(["completion", shell])
    out = capsys.readouterr().out
    assert all(name in out for name in VERBS) and ("--strength" in out) == (shell != "tcsh")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["de"], ["deblur", "demo"]),
        (["d"], ["datasets", "deblur", "demo", "doctor"]),
        (["deblur", "--s"], ["--save-kernel", "--sigma", "--strength"]),
        (["table", "--format", "l"], ["latex"]),
        (["completion", "z"], ["zsh"]),
        (["identify", "pho"], ["photo.png", "photos"]),
        (["deblur", "-o", "ph"], ["photos"]),
    ],
)
def test_what_bash_offers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], offered: list[str]
) -> None:
    pytest.importorskip("shtab", reason="needs the extra completion")
    main(["completion", "bash"])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    (tmp_path / "photo.png").touch()
    (tmp_path / "photos").mkdir()
    ask = f"source ./script; COMP_WORDS=(blurlab {' '.join(words)}); COMP_CWORD={len(words)}; _shtab_blurlab; "
    done = subprocess.run(
        ["bash", "-c", ask + 'printf "%s\\n" "${COMPREPLY[@]}"'], cwd=tmp_path, capture_output=True, text=True
    )
    found = sorted({line.rstrip("/") for line in done.stdout.split()})
    assert found == offered, done
