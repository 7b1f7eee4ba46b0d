"""What the page does with a photograph, without the page: limits, blurs whose truth is known, results as files."""

from __future__ import annotations

import asyncio
import math
import struct
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from blurlab.core.image_io import read_image
from blurlab.demo import work
from blurlab.demo.limited import Limited, Message

SHARP = skimage.data.astronaut()[:180, 130:340]


@pytest.fixture
def photograph(tmp_path: Path) -> work.Opened:
    Image.fromarray(SHARP).save(tmp_path / "face.png")
    return work.open_file(tmp_path / "face.png")


def bomb(path: Path, side: int) -> Path:
    """A small PNG file whose header promises ``side`` x ``side`` pixels."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(9999)))]
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def test_what_is_too_large_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^bomb.png has 5000x5000 pixels, more than 16,000,000; shrink it"):
        work.open_file(bomb(tmp_path / "bomb.png", 5000))
    with pytest.raises(ValueError, match=r"^bomb.png: it has more than 175,000,000 pixels"):
        work.open_file(bomb(tmp_path / "bomb.png", 60000))
    with open(tmp_path / "large.png", "wb") as file:
        file.truncate(work.MAX_BYTES + 1)  # takes no place on the disk
    with pytest.raises(ValueError, match=r"^large.png has 64,000,001 bytes, more than 64,000,000"):
        work.open_file(tmp_path / "large.png")


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "it is empty"), (b"no picture", "not an image of a known format"), (None, "damaged or cut short")],
)
def test_a_broken_file_is_named_without_its_folder(tmp_path: Path, data: bytes | None, said: str) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(SHARP).save(path)
    path.write_bytes(path.read_bytes()[:900] if data is None else data)
    with pytest.raises(ValueError, match=said) as caught:
        work.open_file(path)
    assert "a.png" in str(caught.value) and str(tmp_path) not in str(caught.value)
    with pytest.raises(ValueError, match=r"^gone.png cannot be read"):
        work.open_file(tmp_path / "gone.png")


@pytest.mark.parametrize("kind", work.KINDS)
def test_each_blur_is_made_from_the_sharp_photograph_and_its_truth_is_kept(
    photograph: work.Opened, tmp_path: Path, kind: str
) -> None:
    first = work.blurred(photograph, kind, 6, 210, 0.0, tmp_path)
    again = work.blurred(work.blurred(photograph, "gaussian", 3, 0, 0.01, tmp_path), kind, 6, 210, 0.0, tmp_path)
    np.testing.assert_array_equal(first.read.pixels, again.read.pixels)
    assert first.truth is not None and first.truth.kind == kind and first.path.name == "face_blurred.png"
    np.testing.assert_array_equal(first.truth.sharp, photograph.read.pixels)
    name, _ = work.KINDS[kind]
    angle = {"angle_deg": 30} if kind == "motion" else {}
    assert first.truth.values == {name: 6, **angle, "noise": 0.0}
    assert np.diff(first.read.pixels, axis=1).std() < 0.9 * np.diff(photograph.read.pixels, axis=1).std()


def test_a_blur_that_there_is_not_is_refused(photograph: work.Opened, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="kind must be one of motion, defocus, gaussian, shake, got 'fog'"):
        work.blurred(photograph, "fog", 6, 0, 0, tmp_path)
    with pytest.raises(ValueError, match="sigma"):
        work.blurred(photograph, "motion", 6, 0, -1, tmp_path)


@pytest.mark.slow
def test_a_defocus_is_found_undone_and_saved(photograph: work.Opened, tmp_path: Path) -> None:
    done = work.restored(work.blurred(photograph, "defocus", 4, 0, 0.004, tmp_path))
    rows = {name: (found, truth) for name, found, truth in work.found_rows(done)}
    assert rows["kind of blur"] == ("defocus", "defocus") and rows["radius [px]"][1] == "4.00"
    assert float(rows["radius [px]"][0].split()[0]) == pytest.approx(4, abs=0.5)
    assert rows["noise"][1] == "0.0040" and float(rows["noise"][0]) == pytest.approx(0.004, abs=0.001)
    before, after = work.gain_db(done, 1) or (math.nan, math.nan)
    _, half = work.gain_db(done, 0.5) or (math.nan, math.nan)
    assert after > before + 2 and before < half < after
    saved = work.save(done, 1, tmp_path)
    assert saved.name == "face_blurred_deblurred.png"
    np.testing.assert_allclose(read_image(saved), done.image(1), atol=0.51 / 255)
    assert work.save(done, 0, tmp_path).read_bytes() == done.opened.path.read_bytes()


def test_what_is_left_as_it_came_is_copied_and_no_gain_is_told(tmp_path: Path) -> None:
    Image.new("L", (70, 80), 90).save(tmp_path / "flat.jpg", quality=90)
    done = work.restored(work.open_file(tmp_path / "flat.jpg"))
    assert work.found_rows(done)[0] == ("kind of blur", "cannot tell", "") and not done.result.restored
    assert work.gain_db(done, 1) is None
    assert work.save(done, 1, tmp_path).read_bytes() == (tmp_path / "flat.jpg").read_bytes()


def test_a_visitor_may_say_what_a_photograph_shows(photograph: work.Opened) -> None:
    found = {shows: work.restored(photograph, shows).result.found for shows in work.SHOWS}
    assert [one.network for one in found.values()] == ["photograph", "photograph", "fundus"]
    told, suited, eye = (
        one.probability for one in (found["any scene"], found[work.FOUND_OUT], found["the back of an eye"])
    )
    assert told == suited != eye
    with pytest.raises(ValueError, match=r"what it shows must be one of find out, any scene, .* got 'a cat'"):
        work.restored(photograph, "a cat")


def test_every_photograph_that_is_offered_is_there_and_within_the_limits() -> None:
    for name in work.PHOTOGRAPHS:
        assert work.open_file(work.bundled(name)).read.pixels.size


@pytest.mark.parametrize(
    ("announced", "status"),
    [(b"5", 200), (None, 200), (b"65048576", 200), (b"65048577", 413), (b"2000000000", 413), (b"-1", 413), (b"x", 413)],
)
def test_a_request_that_announces_too_much_is_answered_unread(announced: bytes | None, status: int) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("it was read")

    async def page(scope: Message, receive: object, send: Callable[[Message], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200})

    headers = [] if announced is None else [(b"content-length", announced)]
    asyncio.run(Limited(page, work.MAX_BYTES)({"type": "http", "headers": headers}, receive, send))
    assert sent[0]["status"] == status and (status == 200 or b"more than 64,000,000 bytes" in sent[1]["body"])
