"""Made-up photographs in the layouts of the real sets: small, different from each other, the same every time."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def put_photo(path: Path, side: int = 40) -> Path:
    """Write a noise photograph that depends on the path's last two parts alone."""
    seed = zlib.crc32(os.fsencode("/".join(path.parts[-2:])))
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side + 8, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".ppm": "PPM"}[path.suffix.lower()]
    Image.fromarray(pixels).save(path, kind)
    return path


def put_all(folder: Path, names: list[str]) -> None:
    for name in names:
        put_photo(folder / name)


DRIVE = [f"test/images/{i:02d}_test.tif" for i in range(1, 21)] + [
    f"training/images/{i}_training.tif" for i in range(21, 41)
]
DRIVE_FLAT = [Path(name).with_suffix(".png").name for name in DRIVE]
CHASE = [f"Image_{i:02d}{eye}.jpg" for i in range(1, 15) for eye in "LR"]
STARE = [f"im{i:04d}.ppm" for i in range(1, 21)]
HRF = [f"images/{i:02d}_{kind}" for i in range(1, 4) for kind in ("h.jpg", "dr.JPG", "g.jpg")]
BSDS = ["train/100075.jpg", "train/100080.jpg", "val/101085.jpg", "test/100007.jpg", "test/100039.jpg"]
MESSIDOR = [f"Base{d}{p}/2005120{p}_{40000 + i}_0{d}00_PP.tif" for d in (1, 2, 3) for p in (1, 2, 3, 4) for i in (1, 2)]
CALTECH = [f"{category}/image_{i:04d}.jpg" for category in ("Faces", "Faces_easy", "accordion") for i in range(1, 4)]
FLOWERS = [f"image_{i:05d}.jpg" for i in range(1, 9)]
FLOWERS_17 = [f"image_{i:04d}.jpg" for i in range(1, 7)]
VOC = {"trainval": ["000005", "000007", "000009"], "test": ["000001", "000002"]}


def put_voc(folder: Path, *parts: str) -> None:
    """``JPEGImages`` and ``ImageSets/Main`` as the archives of these parts leave them in VOC2007."""
    for part in parts:
        put_all(folder / "JPEGImages", [f"{name}.jpg" for name in VOC[part]])
        path = folder / "ImageSets" / "Main" / f"{part}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{name}\n" for name in VOC[part]))
