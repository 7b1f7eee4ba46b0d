"""[Gilbert2019] with what its code gets wrong put right: ``python experiments/gilbert2019/corrected.py FOLDER``.

Kernels sum to one, photons are divided by photons at white times the exposure, signal-to-noise ratios are in dB, scenes
that are tested on were never trained or chosen on, PSNR has the peak 1, and nothing wraps around: data are ``valid``,
the Wiener filters pad, network and total variation know nothing beyond the border. FOLDER holds imagenet_samples. The
network is the one whose weights are shipped; ``--weights FILE`` takes those that ``python -m blurlab
+experiment=gilbert2019`` left, ``--weights none`` leaves it out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from blurlab.blur import trajectory_psf
from blurlab.core.rng import generator
from blurlab.dataset import Folder, Photo, make_split, prepare_all
from blurlab.deconvolver import TV, Learned, Wiener, WienerStack
from blurlab.metric import bootstrap_mean, psnr, ssim
from blurlab.noise import PoissonGaussian
from blurlab.physics import Convolution

EXPOSURES = (0.125, 0.25, 0.5, 1.0)
SNR_DB = tuple(range(9, 66, 4))
SIZE, KERNEL, PATH_PX = 256, 35, 64.0
PHOTONS, READ_OUT = 2048.0, 0.05
INTERIOR = KERNEL // 2
TITLES = {
    "observed": "blurred",
    "wiener_one_for_all": "Wiener, one ratio for all exposures",
    "wiener_best": "Wiener, best ratio of the exposure",
    "wiener_best_of_each_image": "Wiener, best ratio of each image (oracle)",
    "wiener_gradient": "Wiener, gradient prior, ratio from sigma",
    "tv": "total variation",
    "network": "network",
}
BATCH = 4
Restorer = Callable[["Case"], Tensor]


@dataclass(frozen=True)
class Case:
    """A batch at one exposure."""

    x: Tensor
    y: Tensor
    psf: Tensor
    sigma: Tensor


def cases(sharp: Tensor, exposure: float, first_path: int) -> Iterator[Case]:
    """Photographs (n, 3, 290, 290), each shaken along a trajectory of its own, a few at a time."""
    for start in range(0, len(sharp), BATCH):
        part = sharp[start : start + BATCH]
        path = torch.arange(first_path + start, first_path + start + len(part)).float()
        psf = trajectory_psf(torch.full_like(path, exposure), torch.full_like(path, PATH_PX), path, KERNEL)
        photons = PHOTONS * exposure
        draws = [generator("gilbert2019", int(one), str(exposure)) for one in path]
        blurred = Convolution(psf, "valid").A(part).clamp(0, 1)
        y, sigma = PoissonGaussian(photons, READ_OUT / photons)(blurred, generator=draws)
        yield Case(part[..., INTERIOR:-INTERIOR, INTERIOR:-INTERIOR], y, psf, sigma)


def scores(sharp: Tensor, exposure: float, first_path: int, restorers: dict[str, Restorer]) -> dict[str, Tensor]:
    """Figures (n, 4) of each restorer: PSNR [dB], PSNR of the inside, SSIM, seconds an image."""
    rows: dict[str, list[Tensor]] = {name: [] for name in restorers}
    for case in cases(sharp, exposure, first_path):
        for name, restore in restorers.items():
            begun = time.perf_counter()
            image = restore(case).clamp(0, 1)
            seconds = torch.full((len(image),), (time.perf_counter() - begun) / len(image))
            inside = psnr(image, case.x, border=INTERIOR)
            rows[name].append(torch.stack([psnr(image, case.x), inside, ssim(image, case.x), seconds], dim=1))
    return {name: torch.cat(parts) for name, parts in rows.items()}


def filters() -> dict[str, Restorer]:
    """The Wiener filter of each ratio, by its dB."""

    def at(snr_db: float) -> Restorer:
        solver = Wiener(nsr=10 ** (-snr_db / 10), prior="flat", boundary="padded")
        return lambda case: solver(case.y, case.psf, case.sigma).image

    return {str(snr_db): at(snr_db) for snr_db in SNR_DB}


def others(weights: str) -> dict[str, Restorer]:
    """What stands beside the Wiener filters: nothing done, blurlab's own, total variation, and the network."""
    wiener, tv = Wiener(boundary="padded"), TV()
    found: dict[str, Restorer] = {
        "observed": lambda case: case.y,
        "wiener_gradient": lambda case: wiener(case.y, case.psf, case.sigma).image,
        "tv": lambda case: tv(case.y, case.psf, case.sigma).image,
    }
    if weights != "none":
        network = Learned(WienerStack(**NET), weights)
        found["network"] = lambda case: network(case.y, case.psf, case.sigma).image
    return found


NET: dict[str, Any] = {"channels": 3, "width": 64, "blocks": 6}
"""The network of ``conf/experiment/gilbert2019.yaml``."""


def table(val: Tensor, test: Tensor, weights: str) -> dict[str, dict[str, Any]]:
    """Exposure, or ``mean`` -> figures; the ratios of the Wiener filters are chosen on the validation photographs."""
    tried = [torch.stack([row[:, 0] for row in scores(val, one, 0, filters()).values()]) for one in EXPOSURES]
    for_all = int(torch.stack(tried).mean((0, 2)).argmax())
    found: dict[str, dict[str, Any]] = {}
    together: dict[str, list[Tensor]] = {}
    for exposure, on_val in zip(EXPOSURES, tried, strict=True):
        best = int(on_val.mean(1).argmax())
        stack = torch.stack([*scores(test, exposure, len(val), filters()).values()])  # (15, n, 4)
        rows = scores(test, exposure, len(val), others(weights))
        rows |= {"wiener_one_for_all": stack[for_all], "wiener_best": stack[best]}
        rows["wiener_best_of_each_image"] = stack[stack[:, :, 0].argmax(0), torch.arange(len(test))]
        found[str(exposure)] = figures(rows) | {"snr_db": {"one_for_all": SNR_DB[for_all], "best": SNR_DB[best]}}
        print(exposure, {name: row["psnr"] for name, row in found[str(exposure)].items() if "psnr" in row}, flush=True)
        for name, row in rows.items():
            together.setdefault(name, []).append(row)
    found["mean"] = figures({name: torch.stack(rows).mean(0) for name, rows in together.items()})
    return found


def figures(rows: dict[str, Tensor]) -> dict[str, Any]:
    """Means of each restorer's figures (n, 4), and what the network gains over the others."""
    names = ("psnr", "psnr_interior", "ssim", "seconds")
    found: dict[str, Any] = {
        name: {figure: round(value, 3) for figure, value in zip(names, row.mean(0).tolist(), strict=True)}
        for name, row in sorted(rows.items())
    }
    if "network" in rows:
        rest = [name for name in sorted(rows) if name != "network"]
        found["gain"] = {f"over_{name}": gain(rows["network"], rows[name]) for name in rest}
    return found


def markdown(found: dict[str, dict[str, Any]], photographs: int) -> str:
    """The table: PSNR [dB], that of the inside in brackets, and what the network gains."""
    rows = [["", *(f"T = {name}" if name != "mean" else name for name in found)], ["---"] * (len(found) + 1)]
    for name, title in TITLES.items():
        if name in found["mean"]:
            rows.append(
                [title, *(f"{one[name]['psnr']:.2f} ({one[name]['psnr_interior']:.2f})" for one in found.values())]
            )
    for name in found["mean"].get("gain", {}):
        values = [
            f"{row['gain'][name]['psnr']:+.2f} [{row['gain'][name]['low']:.2f}, {row['gain'][name]['high']:.2f}]"
            for row in found.values()
        ]
        rows.append([f"network {name.replace('_', ' ')}", *values])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    title = f"PSNR [dB], of the inside in brackets, by exposure; {photographs} photographs never trained or chosen on"
    return "\n".join([title, "", *lines, ""])


def gain(ours: Tensor, theirs: Tensor) -> dict[str, float]:
    """Mean difference of PSNR [dB] over photographs with its 95 % interval, and that of the inside."""
    difference = (ours - theirs)[:, :2]
    mean, low, high = bootstrap_mean(difference[:, 0], generator=generator("gilbert2019"))
    values = {"psnr": mean, "low": low, "high": high, "psnr_interior": float(difference[:, 1].mean())}
    return {name: round(value, 3) for name, value in values.items()}


def load(source: Folder, photos: list[Photo], count: int) -> tuple[list[str], Tensor]:
    """Names and centres (n, 3, 290, 290) in [0, 1] of the first photographs that are large enough."""
    side = SIZE + 2 * INTERIOR
    done = prepare_all(source, photos, side, "rgb", resize=False, least=side)
    arrays = np.stack(done.arrays[:count]).transpose(0, 3, 1, 2)
    return [photo.id for photo in done.photos[:count]], torch.from_numpy(arrays).float() / 255


def main() -> None:
    """Choose on validation photographs, measure on test photographs, print, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("BLURLAB_DATA", "."))
    parser.add_argument("--weights", default="gilbert2019", help="shipped weights, a file, or none")
    parser.add_argument("--count", type=int, default=50, help="photographs tested on")
    parser.add_argument("--val", type=int, default=20, help="photographs that the ratios are chosen on")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "corrected.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    source = Folder(Path(args.folder) / "imagenet_samples")
    split = make_split(source)
    _, val = load(source, split.val, args.val)
    names, test = load(source, split.test, args.count)
    results = table(val, test, args.weights)
    record = {
        "protocol": "corrected",
        "dataset": {"name": source.name, "val": len(val), "test": len(test), "photographs": names, "size": SIZE},
        "blur": {"kernel": KERNEL, "path_px": PATH_PX, "exposures": EXPOSURES},
        "noise": {"photons_at_white": "2048 T", "read_out_photons": READ_OUT},
        "boundary": {"data": "valid", "solver": {"wiener": "padded", "network and tv": "unknown"}},
        "snr_db": SNR_DB,
        "results": results,
        "network": "not run" if args.weights == "none" else {"weights": Path(args.weights).name, **NET},
        "published": {"network": 26.1, "baseline": 16.6, "source": "Gilbert2019 table 1"},
        "versions": {"torch": torch.__version__, "cpu": platform.machine()},
    }
    args.output.parent.mkdir(exist_ok=True)
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    args.output.with_suffix(".md").write_text(markdown(results, len(test)))
    print(markdown(results, len(test)))


if __name__ == "__main__":
    main()
