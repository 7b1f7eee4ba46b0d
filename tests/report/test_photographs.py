"""The page of photographs before and after."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

from blurlab.report.photographs import DETAIL_PX, WIDE_PX, shown, write_photographs


def pictures(page: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(one))) for one in found]


def test_a_page_shows_each_photograph_before_and_after_and_what_was_left(tmp_path: Path) -> None:
    before = np.random.default_rng(0).random((400, 1000, 3))
    kernel = np.zeros((11, 11))
    kernel[5, 2:9] = 1 / 7
    entries = [
        shown("a<b>.png", "motion 7.00 px", before, before**2, kernel),
        shown("sharp.png", "none, probability 0.990", before[:90, :100, :1], before[:90, :100, :1], np.ones((1, 1))),
    ]
    page = write_photographs(entries, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "a&lt;b&gt;.png" in page and "a<b>" not in page and "motion 7.00 px" in page
    sizes = [one.size for one in pictures(page)]
    whole, detail = (WIDE_PX, 288), (DETAIL_PX, DETAIL_PX)
    assert sizes == [whole, whole, detail, detail, (132, 132), (100, 90), (100, 90)]
    assert page.count("Left as it came") == 1
    line = np.asarray(pictures(page)[4]).astype(float)
    assert line[66, 66] > 200 and line[20, 66] < 20 and line[66, 8] < 20
    assert "http" not in page.replace("http-equiv", "")
