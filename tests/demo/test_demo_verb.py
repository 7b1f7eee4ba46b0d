"""``blurlab demo`` where it cannot serve: one line each."""

from __future__ import annotations

import signal
import sys

import pytest

from blurlab.cli import main


@pytest.fixture(autouse=True)
def no_handler_left() -> object:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def line(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["demo", *words])
    out, err = capsys.readouterr()
    assert caught.value.code == 2 and out == "" and err.count("\n") == 1
    return err


def test_without_gradio_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    said = "error: demo needs the package gradio, which is not there; pip install 'blurlab-toolbox[demo]'\n"
    assert line(capsys) == said


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x"])
def test_a_port_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str], port: str) -> None:
    assert "--port" in line(capsys, f"--port={port}")
