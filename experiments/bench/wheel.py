"""``blurlab`` out of its wheel, in an environment without the network: a blurred and a sharp photograph, and its start.

    python experiments/bench/wheel.py      # writes results/wheel.json

A wheel is built of what is committed, without isolation, and installed into a new environment that sees the packages of
the one that runs this, but no blurlab of theirs. ``blurlab blur`` moves scikit-image's ``astronaut`` by 9 px at 30
degrees, in light, as PNG; a copy is saved as JPEG of quality 90. ``blurlab deblur`` is told nothing. ISNR [dB] is that
of the files' values, ``BORDER_PX`` px of border left out. The sharp photograph is a JPEG file of quality 95 with EXIF
and an ICC profile. Every command runs where the network cannot be reached: in a namespace of its own where the system
allows that (``unshare``), else behind proxies that do not answer. Seconds to start are those of ``REPEATS`` processes:
``import blurlab`` after torch, the same with what ``blurlab.deblur`` needs, and ``blurlab --help`` as a whole; by the
clock the least and the median, since other work on the machine only adds to them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from pathlib import Path
from statistics import median
from typing import Any

import torch
from PIL import Image, ImageCms
from skimage import data
from timing import machine

from blurlab.core.image_io import read_image
from blurlab.metric import isnr

ROOT = Path(__file__).resolve().parents[2]
RESULT = Path(__file__).parent / "results" / "wheel.json"
LENGTH_PX, ANGLE_DEG, BORDER_PX, REPEATS = 9, 30, 16, 9
NAMESPACES = ["unshare", "--net"], ["unshare", "--map-root-user", "--net"], []
"""Ways to be without a network, the first that works is taken; the last is proxies that do not answer."""
DEAD = "http://127.0.0.1:9"
REACH = "import socket; socket.create_connection(('1.1.1.1', 53), 3)"
IMPORT = """\
import json, time, torch
start = time.perf_counter()
import blurlab
middle = time.perf_counter()
blurlab.deblur
print(json.dumps([middle - start, time.perf_counter() - start]))
"""


def built(folder: Path) -> Path:
    """The wheel of what is committed."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "clone")], check=True)
    words = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(folder / "clone")]
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


class Environment:
    """A new environment with a wheel, whose commands reach no network.

    Args:
        home: Its folder.
        wheel: What is installed.
    """

    def __init__(self, home: Path, wheel: Path) -> None:
        venv.create(home)
        (site,) = home.glob("lib/python*/site-packages")
        (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
        words = ["-m", "pip", "--python", str(home), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
        subprocess.run([sys.executable, *words, "--ignore-installed"], check=True)
        self.bin, self.home = home / "bin", home
        self.variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self.without = next(way for way in NAMESPACES if not way or self._works(way))
        if not self.without:
            names = ("http_proxy", "https_proxy", "all_proxy")
            self.variables |= {name: DEAD for one in names for name in (one, one.upper())}

    def _works(self, way: list[str]) -> bool:
        try:
            return subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False

    def run(self, *words: object, fails: bool = False) -> str:
        """What a command of the environment prints."""
        command = [*self.without, str(self.bin / str(words[0])), *map(str, words[1:])]
        done = subprocess.run(command, cwd=self.home, env=self.variables, capture_output=True, text=True, check=False)
        if (done.returncode != 0) != fails:
            raise SystemExit(f"{' '.join(map(str, words))} ended with status {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def checked(self) -> dict[str, Any]:
        """Where blurlab comes from, and how the network is cut off; ends where either is not as it should be."""
        place = Path(self.run("python", "-c", "import blurlab; print(blurlab.__file__)").strip())
        if not place.is_relative_to(self.home):
            raise SystemExit(f"blurlab is imported from {place}, not from the wheel")
        if self.without:
            self.run("python", "-c", REACH, fails=True)
        how = " ".join(self.without) or f"proxies {DEAD}"
        return {"imported_from": str(place.relative_to(self.home)), "network_cut_off_by": how}


def restored(env: Environment, folder: Path) -> dict[str, Any]:
    """What is found of a blurred photograph, as PNG and as JPEG, and what is gained."""
    sharp = folder / "photo.png"
    Image.fromarray(data.astronaut()).save(sharp)
    motion = ("--blur", "motion", f"length_px={LENGTH_PX}", f"angle_deg={ANGLE_DEG}")
    env.run("blurlab", "blur", sharp, "-o", folder / "blurred", *motion)
    png, jpeg, table = folder / "blurred" / "photo.png", folder / "blurred" / "photo.jpg", folder / "found.jsonl"
    Image.open(png).save(jpeg, quality=90)
    out, found = folder / "out", {}
    for photo in (png, jpeg):
        env.run("blurlab", "deblur", photo, "-o", out, "--table", table)
        row = json.loads(table.read_text())
        y, x_hat, x = (_tensor(path) for path in (photo, out / photo.name, sharp))
        found[photo.suffix[1:]] = {
            **{key: row[key] for key in ("kind", "probability", "parameters", "sigma", "restored", "seconds")},
            "length_error_px": round(abs(row["parameters"]["motion.length_px"]["value"] - LENGTH_PX), 3),
            "isnr_db": round(float(isnr(y, x_hat, x, border=BORDER_PX)), 2),
        }
        print(photo.suffix, json.dumps(found[photo.suffix[1:]]), flush=True)
    return found


def left_alone(env: Environment, folder: Path) -> dict[str, Any]:
    """What becomes of a sharp photograph with EXIF and a profile."""
    photo, table = folder / "sharp.jpg", folder / "sharp.jsonl"
    exif, profile = Image.Exif(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif[0x010F], exif[0x0112], exif[0x0132] = "a camera's maker", 1, "2024:01:02 03:04:05"
    Image.fromarray(data.astronaut()).save(photo, quality=95, exif=exif, icc_profile=profile)
    printed = env.run("blurlab", "deblur", photo, "-o", folder / "out", "--table", table)
    result, row = folder / "out" / "sharp.jpg", json.loads(table.read_text())
    with Image.open(photo) as before, Image.open(result) as after:
        same = {
            "exif_equal": dict(before.getexif()) == dict(after.getexif()) != {},
            "icc_equal": before.info["icc_profile"] == after.info.get("icc_profile"),
        }
    found = {key: row[key] for key in ("kind", "probability", "restored", "reason")}
    found["printed"] = printed.strip().partition(": ")[2].partition(" -> ")[0]
    return found | {"bit_identical": photo.read_bytes() == result.read_bytes()} | same


def starts(env: Environment) -> dict[str, Any]:
    """Seconds until blurlab is imported after torch, and until its help is printed."""
    imported, ready, helped, used = [], [], [], []
    for _ in range(REPEATS + 1):
        first, second = json.loads(env.run("python", "-c", IMPORT))
        start, before = time.perf_counter(), os.times()
        env.run("blurlab", "--help")
        helped.append(time.perf_counter() - start)
        after = os.times()
        used.append(after.children_user + after.children_system - before.children_user - before.children_system)
        imported.append(first)
        ready.append(second)
    rows = {"import": imported, "import_and_what_deblur_needs": ready, "help": helped, "help_processor": used}
    return {
        f"{name}_s": {"least": round(min(times[1:]), 3), "median": round(median(times[1:]), 3)}
        for name, times in rows.items()
    }


def _tensor(path: Path) -> torch.Tensor:
    return torch.from_numpy(read_image(path)).permute(2, 0, 1)[None]


def main() -> None:
    """Measure, print and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        wheel = built(folder)
        record: dict[str, Any] = {"wheel": wheel.name, "wheel_mb": round(wheel.stat().st_size / 1e6, 2)}
        env = Environment(folder / "env", wheel)
        record |= env.checked()
        print(json.dumps(record), flush=True)
        record |= {
            "blur": f"motion of {LENGTH_PX} px at {ANGLE_DEG} degrees, in light",
            "blurred": restored(env, folder),
        }
        record["sharp"] = left_alone(env, folder)
        print(json.dumps(record["sharp"]), flush=True)
        record["start"] = starts(env)
    record["machine"] = machine()
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
