"""A folder of 200 photographs, ten of them bad, through ``blurlab deblur``: results, memory, Ctrl-C and going on.

    python experiments/bench/folder.py FOLDER    # FOLDER holds BSDS500; writes results/folder.json
    python experiments/bench/folder.py FOLDER --only large --large 9    # the rest of the record stays as it is

Pieces of BSDS500's photographs, 200 x 200 px, every second one out of focus, are saved as JPEG, PNG, 16-bit TIFF and
PNG with an alpha channel in nested folders; ten more files are empty, cut off, or text. Three runs of the command, each
a process of its own: over ten photographs, over all, and over all with Ctrl-C when half are done and ``--resume`` after
it. ``done_twice`` counts the results that the second of these wrote again.

``large`` is of ``--large`` photographs of 12 megapixels, mosaics that begin with other photographs, blurred and saved
as ``photograph.py`` does it: a run over the first, and one over all. All have the same blur, so that their number alone
makes the difference. ``restored`` counts the results that are not copies; ``seconds_a_file`` is the second run's
time by the clock over its photographs, the start of Python included.
"""

from __future__ import annotations

import argparse
import json
import shutil
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
from photograph import ALONE, HEIGHT, WIDTH, kernels, mosaic, photograph
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
LARGE, APART, BLUR = 4, 37, "motion, 12 px at 30 deg"
"""Photographs of 12 megapixels, how many of BSDS500's lie between the first of a mosaic and of the next, their blur."""
PARTS = ("small", "large")
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


def small(images: list[np.ndarray], made: Path) -> dict[str, Any]:
    """What becomes of a folder of small photographs: of few, of all, and of all where the command was stopped."""
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
    return record | {"machine": machine()}


def large(folder: Path, count: int, made: Path) -> dict[str, Any]:
    """What becomes of one photograph of 12 megapixels, and of a folder of so many."""
    one, all_of_them = made / "one", made / "large"
    one.mkdir()
    all_of_them.mkdir()
    for number in range(count):
        photograph(mosaic(folder, APART * number), kernels()[BLUR], all_of_them / f"{number:03}.jpg")
    shutil.copy(all_of_them / "000.jpg", one)
    record: dict[str, Any] = {"count": count, "image_px": [HEIGHT, WIDTH], "blur": BLUR}
    for name, root in (("one", one), ("all", all_of_them)):
        out = made / f"out_{root.name}"
        record[name] = through(root, out)
        record[name]["restored"] = sum((out / at).read_bytes() != (root / at).read_bytes() for at in results(out))
        print(f"large, {name}", json.dumps(record[name]), flush=True)
    return record | {"seconds_a_file": round(record["all"]["seconds"] / count, 1), "machine": machine()}


def main() -> None:
    """Measure, print and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds BSDS500")
    parser.add_argument("--only", nargs="+", default=PARTS, choices=PARTS, help="leave the rest of the record")
    parser.add_argument("--large", type=int, default=LARGE, metavar="N", help="photographs of 12 megapixels, 2 or more")
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    if args.large < 2:
        parser.error(f"--large must be 2 or more, got {args.large}")
    record = json.loads(args.output.read_text()) if args.output.exists() else {}
    for part in args.only:
        with tempfile.TemporaryDirectory() as made:
            if part == "small":
                record |= small(pieces(args.folder), Path(made))
            else:
                record["large"] = large(args.folder, args.large, Path(made))
        args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
