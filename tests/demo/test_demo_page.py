"""The page in headless Chromium: photographs and broken files go in, pictures, numbers and messages come out."""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image

from blurlab.demo import work

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
LACKING = [name for name in ("gradio", "selenium") if importlib.util.find_spec(name) is None]
LACKING += [name for name, found in (("chromium", CHROMIUM), ("chromedriver", DRIVER)) if found is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(LACKING), reason=f"needs {', '.join(LACKING)} (extras demo and browser, Debian's chromium)"
    ),
]
PATIENCE_S = 1200
"""A machine with much other work needs minutes for what takes two seconds of a processor."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of ``blurlab demo`` in a process of its own, which leaves no file behind."""
    places = tmp_path_factory.mktemp("places")
    port = str(free_port())
    env = {**os.environ, "TMPDIR": str(places), "GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SHARE": "True"}
    command = [sys.executable, "-m", "blurlab", "demo", "--port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, start_new_session=True) as server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            assert said == f"the page is at http://127.0.0.1:{port}/ (Ctrl-C ends it)\n"
            yield said.split()[4]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE_S)
    assert server.returncode == 130 and not [*places.glob("blurlab-demo-*")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1300,1400"):
        options.add_argument(word)
    folder = tmp_path_factory.mktemp("downloads")
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    driver.folder = folder
    yield driver
    driver.quit()


def until(look: Callable[[], Any]) -> Any:
    """The first answer that is true."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            if found := look():
                return found
        except Exception as error:  # parts of a page are replaced while one looks at them
            if not type(error).__module__.startswith("selenium"):
                raise
        time.sleep(0.2)
    raise TimeoutError("the page did not change")


class Page:
    """What a visitor sees and does."""

    def __init__(self, browser: Any, address: str) -> None:
        self.browser = browser
        browser.get(address)
        until(lambda: self.all("#choice button.gallery-item") and self.all("#file input[type=file]"))

    def all(self, where: str) -> list[Any]:
        return list(self.browser.find_elements("css selector", where))

    def one(self, where: str) -> Any:
        return until(lambda: self.all(where))[0]

    def drop(self, path: Path) -> None:
        self.one("#file input[type=file]").send_keys(str(path))

    @property
    def message(self) -> str:
        return str(self.one("#message").text)

    @property
    def explained(self) -> str:
        return str(self.one("#explained textarea").get_attribute("value"))

    def pictures(self) -> list[str]:
        """Addresses of the two pictures under the slider, once they have been loaded."""
        images = self.all("#slider img")
        whole = len(images) == 2 and all(int(one.get_attribute("naturalWidth")) > 0 for one in images)
        return [str(one.get_attribute("src")) for one in images] if whole else []

    def photograph(self) -> str:
        return str(self.one("#photo img").get_attribute("src"))


@pytest.fixture
def page(browser: Any, address: str) -> Page:
    return Page(browser, address)


def test_a_photograph_is_blurred_measured_undone_blended_and_downloaded(page: Page, tmp_path: Path) -> None:
    Image.fromarray(skimage.data.astronaut()[:180, 130:340]).save(tmp_path / "face.png")
    page.drop(tmp_path / "face.png")
    sharp = page.photograph()
    page.browser.find_element("xpath", "//button[contains(., '2. Blur it here')]").click()
    page.one("#kind input[value=defocus]").click()
    until(lambda: page.one("#strength input[type=range]").get_attribute("max") == "12")
    page.one("#blur").click()
    until(lambda: page.photograph() != sharp)
    page.one("#restore").click()
    pair = until(page.pictures)
    assert pair[0] != pair[1]
    until(lambda: "radius [px]" in page.one("#table").text and page.all("#kernel img"))
    cells = page.one("#table").text.splitlines()
    at = cells.index("radius [px]")
    value, interval, truth = float(cells[at + 1].split()[0]), cells[at + 1].split("(")[1], float(cells[at + 2])
    assert truth == 4 and abs(value - truth) < 0.5
    low, high = (float(end) for end in interval.rstrip(")").split(" to "))
    assert low < value < high
    assert cells[cells.index("kind of blur") + 1] == "defocus" and "PSNR" in page.explained
    keep = os.environ.get("BLURLAB_SCREENSHOT")
    if keep:
        page.browser.save_screenshot(keep)

    before, after = (float(word) for word in page.explained.split("photograph: ")[1].split() if word[0].isdigit())
    assert after > before + 2
    share = page.one("#share input[type=number]")
    share.send_keys("\ue009a\ue000", "0.5\ue007")  # all of it is replaced, then Enter
    until(lambda: page.pictures() and page.pictures() != pair)
    half = float(page.explained.split("before, ")[1].split()[0])
    assert before < half < after

    until(lambda: page.one("#download").is_enabled())
    page.one("#download").click()
    until(lambda: [*page.browser.folder.glob("*.png")])
    with Image.open(page.browser.folder / "face_blurred_deblurred.png") as made:
        assert made.size == (210, 180)


def test_the_network_is_asked_that_a_visitor_chooses(page: Page, tmp_path: Path) -> None:
    Image.fromarray(skimage.data.astronaut()[:180, 130:340]).save(tmp_path / "face.png")
    page.drop(tmp_path / "face.png")
    assert page.photograph()
    page.all("#shows input")[2].click()
    page.one("#restore").click()
    until(lambda: "The network fundus was asked." in page.explained)


def test_a_bundled_photograph_is_taken(page: Page) -> None:
    page.all("#choice button.gallery-item")[1].click()
    assert page.photograph() and page.message == ""


def test_a_broken_file_shows_a_message_and_nothing_is_restored(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "broken<b>.png"
    path.write_bytes(b"no picture")
    page.drop(path)
    until(lambda: "is not an image of a known format" in page.message)
    assert str(tmp_path) not in page.message and "broken" in page.message and not page.all("#message b")
    page.one("#restore").click()
    until(lambda: "there is no photograph yet" in page.message)
    assert not page.all("#slider img")


def test_a_photograph_of_too_many_pixels_shows_a_message(page: Page, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4001, 4000), np.uint8)).save(tmp_path / "wide.png")
    page.drop(tmp_path / "wide.png")
    until(lambda: "wide.png has 4001x4000 pixels, more than 16,000,000" in page.message)


def test_an_upload_of_2_gb_is_refused_before_it_is_sent(address: str) -> None:
    port = int(address.rstrip("/").rpartition(":")[2])
    size, part, sent = 2_000_000_000, bytes(1 << 16), 0
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as one:
        ask = f"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {size}\r\n"
        one.sendall(ask.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n")
        try:
            while sent < size and not select.select([one], [], [], 0)[0]:
                one.sendall(part)
                sent += len(part)
            answer = one.recv(1 << 16)
        except ConnectionError:  # the server has answered and closed
            answer = b""
    assert sent < work.MAX_BYTES and (not answer or answer.split()[1] == b"413"), (sent, answer)
    assert socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close() is None  # the server goes on


def test_an_upload_of_unknown_length_is_refused_where_it_grows_too_large(address: str) -> None:
    port = int(address.rstrip("/").rpartition(":")[2])
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    part = bytes(1 << 20)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as one:
        one.sendall(f"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n".encode())
        one.sendall(b"Transfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n")
        for data in (head, *[part] * (work.MAX_BYTES // len(part) + 2)):
            one.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        assert one.recv(1 << 16).split()[1] == b"413"


def test_no_other_address_is_served(address: str) -> None:
    port = int(address.rstrip("/").rpartition(":")[2])
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", port), timeout=20).close()
