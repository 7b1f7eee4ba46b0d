"""A folder of 200 photographs, ten of them bad, through ``blurlab deblur``: results, memory, Ctrl-C and going on.

    python experiments/bench/folder.py FOLDER    # FOLDER holds BSDS500; writes results/folder.json

Pieces of BSDS500's photographs, 200 x 200 px, every second one out of focus, are saved as JPEG, PNG, 16-bit TIFF and
PNG with an alpha channel in nested folders; ten more files are empty, cut off, or text. Three runs of the command, each
a process of its own: over ten photographs, over all, and over all with Ctrl-C when half are done and ``--resume`` after
it. ``done_twice`` counts the results that the second of these wrote again.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
from photograph import ALONE
from PIL import Image
from timing import machine

from blurlab.blur import disk_psf
from blurlab.core.image_io import read_image
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500
from blurlab.noise import Srgb
from blurlab.physics import Convolution

GOOD, BAD, FEW, SIDE, RADIUS_PX, SIGMA = 190, 10, 10, 200, 3.0, 0.002
PLACES = ("", "a", "a/b", "c")
RESULT = Path(__file__).parent / "results" / "folder.json"


def pieces(folder: Path) -> list[np.ndarray]:
    """Images (SIDE, SIDE, 3) of 8 bits, every second one blurred in light."""
    response, psf, made = Srgb(), disk_psf(torch.full((1,), RADIUS_PX), 9), []
    paths = [photo.path for photo in Bsds500(folder).photos() if photo.path]
    noise = generator("folder")
    for number, path in enumerate(paths[:GOOD]):
        x = torch.from_numpy(read_image(path)).permute(2, 0, 1)[None, :, : SIDE + 8, : SIDE + 8]
        light = Convolution(psf, "valid").A(response.decode(x)) if number % 2 else response.decode(x)[..., 4:-4, 4:-4]
        light = (light + SIGMA * torch.randn(light.shape, generator=noise)).clamp(0, 1)
        made.append((response.encode(light)[0] * 255).round().byte().permute(1, 2, 0).numpy())
    return made


def written(images: list[np.ndarray], root: Path) -> None:
    """Write the photographs, and the bad files among them."""
    for number, image in enumerate(images):
        place = root / PLACES[number % len(PLACES)]
        place.mkdir(parents=True, exist_ok=True)
        match number // len(PLACES) % 4:
            case 0:
                Image.fromarray(image).save(place / f"{number:03}.jpg", quality=92)
            case 1:
                Image.fromarray(image).save(place / f"{number:03}.png")
            case 2:
                tifffile.imwrite(place / f"{number:03}.tif", image.astype(np.uint16) * 257, photometric="rgb")
            case _:
                alpha = np.full(image.shape[:2], 200, np.uint8)
                Image.fromarray(np.dstack([image, alpha])).save(place / f"{number:03}_alpha.png")
    whole = next(root.rglob("*.jpg")).read_bytes()
    for number in range(BAD if len(images) > FEW else 0):
        content = (b"", whole[: len(whole) // 3], b"no photograph", b"\x89PNG\r\n\x1a\n")[number % 4]
        (root / PLACES[number % len(PLACES)] / f"bad{number}.{('jpg', 'png')[number % 2]}").write_bytes(content)


def words(root: Path, out: Path, *more: str) -> list[str]:
    """The command."""
    return [sys.executable, "-m", "blurlab", "deblur", str(root), "--out", str(out), *more]


def results(out: Path) -> dict[Path, int]:
    """Files of the results, and when each was written [ns]."""
    kinds = {".jpg", ".png", ".tif"}
    return {one.relative_to(out): one.stat().st_mtime_ns for one in out.rglob("*") if one.suffix in kinds}


def through(root: Path, out: Path, *more: str) -> dict[str, Any]:
    """Run the command to its end: what it left, said and used."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *words(root, out, *more)], capture_output=True, text=True, check=False
    )
    used = json.loads(done.stdout.rstrip("\n").rpartition("\n")[2])
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return {"status": done.returncode, "results": len(results(out)), "errors": len(errors), **used}


def stopped(root: Path, out: Path) -> dict[str, Any]:
    """Run the command until half of the results are there, then press Ctrl-C."""
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job in the background of a shell does not
    process = subprocess.Popen(
        words(root, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=heeds
    )
    while process.poll() is None and (not out.exists() or len(results(out)) < GOOD // 2):
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1].strip().splitlines()
    if process.returncode != 130:
        raise SystemExit(f"the command did not stop by Ctrl-C, but ended with status {process.returncode}")
    return {"status": process.returncode, "results": len(results(out)), "said": said[-2:]}


def main() -> None:
    """Measure, print and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds BSDS500")
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    images = pieces(args.folder)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        few, all_of_them = made / "few", made / "all"
        written(images[:FEW], few)
        written(images, all_of_them)
        asked = {str(one.relative_to(all_of_them)) for one in all_of_them.rglob("[0-9]*.*")}
        record: dict[str, Any] = {"good": GOOD, "bad": BAD, "side_px": SIDE, "few": through(few, made / "out_few")}
        print("few", json.dumps(record["few"]), flush=True)
        record["all"] = through(all_of_them, made / "out_all")
        record["all"]["same_structure"] = {str(one) for one in results(made / "out_all")} == asked
        print("all", json.dumps(record["all"]), flush=True)
        record["stopped"] = stopped(all_of_them, made / "out")
        before = results(made / "out")
        record["resumed"] = through(all_of_them, made / "out", "--resume")
        after = results(made / "out")
        record["resumed"]["done_twice"] = sum(after[name] != when for name, when in before.items())
        equal = all((made / "out" / one).read_bytes() == (made / "out_all" / one).read_bytes() for one in after)
        record["resumed"]["equals_the_run_that_was_not_stopped"] = equal
    record["machine"] = machine()
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
