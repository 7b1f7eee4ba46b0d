"""Weights from an address: fetched once, used only if they are those that were asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from blurlab.core.fetched import fetched
from blurlab.deconvolver import learned
from blurlab.deconvolver.learned import weights_file
from blurlab.pipeline.shipped import SHIPPED, load_nets

FILE = SHIPPED / "photograph.safetensors"
DIGEST = sha256(FILE.read_bytes()).hexdigest()


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Of the package's weights, on a server of this machine."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(SHIPPED)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{FILE.name}"
    server.shutdown()
    server.server_close()


def test_weights_are_fetched_once_and_are_those_of_the_file(address: str) -> None:
    there = load_nets(f"{address}#{DIGEST}")
    for name, net in load_nets("photograph").items():
        for key, value in net.items():
            assert torch.equal(there[name][key], value)
    nowhere = address.replace(FILE.name, "nowhere")
    kept = fetched(f"{nowhere}#{DIGEST.upper()}")  # not asked for again
    assert kept is not None and kept.read_bytes() == FILE.read_bytes()
    assert weights_file(f"{address}#{DIGEST}") == kept and learned.read_state(kept)


def test_another_file_is_not_used_nor_kept(address: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not the file of SHA-256"):
        load_nets(f"{address}#{'0' * 64}")
    assert not list((tmp_path / "torch").rglob("*.safetensors"))


def test_what_cannot_be_fetched_says_so(address: str) -> None:
    with pytest.raises(OSError, match=r"cannot be fetched .* check the address and the network"):
        load_nets(f"{address}.none#{DIGEST}")


@pytest.mark.parametrize("tail", ["", "#", "#abc", f"#{DIGEST[:-1]}g"])
def test_an_address_needs_its_digest(tail: str) -> None:
    with pytest.raises(ValueError, match="need their SHA-256 behind the address"):
        load_nets(f"https://example.org/a.safetensors{tail}")
