"""The picture of the README: a photograph of scikit-image's, blurred and restored by the two commands.

    python docs/picture.py      # writes docs/before_after.jpg and docs/before_after.json

``blurlab blur`` moves the photograph ``coffee`` by 9 px at 30 degrees with noise of .004, ``blurlab deblur`` names the
blur and undoes it; a detail of each stands side by side. The record holds what was found, and PSNR against the sharp
photograph, 16 px of border left out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from blurlab.cli import main as blurlab
from blurlab.core.image_io import read_image, write_image
from blurlab.dataset import Bundled

PHOTOGRAPH, BLUR, SIGMA = "coffee", ("motion", "length_px=9", "angle_deg=30"), ".004"
DETAIL = slice(70, 310), slice(170, 470)
BORDER_PX = 16
HERE = Path(__file__).parent


def made(folder: Path) -> tuple[Image.Image, dict[str, Any]]:
    """The picture and its record; the files in between lie in a folder."""
    (photo,) = Bundled([PHOTOGRAPH]).photos()
    assert photo.path is not None
    sharp = write_image(folder / "photo.png", read_image(photo.path))
    table = folder / "found.jsonl"
    blurlab(["blur", str(sharp), "-o", str(folder / "blurred"), "--sigma", SIGMA, "--blur", *BLUR])
    blurlab(["deblur", str(folder / "blurred" / "photo.png"), "-o", str(folder / "out"), "--table", str(table)])
    before, after = (read_image(folder / name / "photo.png") for name in ("blurred", "out"))
    gap = np.ones((before[DETAIL].shape[0], 8, 3), np.float32)
    side = np.concatenate([before[DETAIL], gap, after[DETAIL]], axis=1)
    truth = read_image(sharp)
    found = {
        key: value
        for key, value in json.loads(table.read_text()).items()
        if key in ("kind", "probability", "parameters")
    }
    record = {
        "command": "python docs/picture.py",
        "photograph": f"scikit-image's {PHOTOGRAPH}",
        "blur": [*BLUR],
        "sigma": float(SIGMA),
        "found": found,
        "psnr_before_db": round(_psnr(before, truth), 2),
        "psnr_after_db": round(_psnr(after, truth), 2),
    }
    return Image.fromarray((side * 255).round().astype(np.uint8)), record


def _psnr(image: np.ndarray, truth: np.ndarray) -> float:
    inner = slice(BORDER_PX, -BORDER_PX)
    return float(-10 * np.log10(((image - truth)[inner, inner].astype(np.float64) ** 2).mean()))


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the picture and its record")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        picture, record = made(Path(folder))
    out.mkdir(parents=True, exist_ok=True)
    picture.save(out / "before_after.jpg", quality=88)
    (out / "before_after.json").write_text(json.dumps(record, indent=1) + "\n")
    print(f"PSNR {record['psnr_before_db']} dB, restored {record['psnr_after_db']} dB: {out / 'before_after.jpg'}")


if __name__ == "__main__":
    main()
