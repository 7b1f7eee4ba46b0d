"""``blurlab demo`` where it cannot serve: one line each."""

from __future__ import annotations

import signal
import subprocess
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


STOPPED = """
import contextlib, os, signal, threading, time
from blurlab.cli import main
from blurlab.demo import page

@contextlib.contextmanager
def served(port, browser):
    threading.Thread(target=time.sleep, args=(3000,)).start()  # a restoration
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    try:
        yield "http://127.0.0.1:1/"
    finally:
        print("closed")

page.served = served
main(["demo"])
"""


def test_who_stops_it_waits_for_no_restoration() -> None:
    done = subprocess.run([sys.executable, "-c", STOPPED], capture_output=True, text=True, timeout=600)
    assert done.returncode == 130, done.stderr
    assert done.stdout == "the page is at http://127.0.0.1:1/ (Ctrl-C ends it)\nclosed\n"
