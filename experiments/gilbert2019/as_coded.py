"""The baseline of [Gilbert2019] as its code computes it: ``python experiments/gilbert2019/as_coded.py``.

Kernels sum to the exposure, photons are not divided by it, each image is divided by its maximum, "9 to 65 dB" are
plain ratios of power, borders are circular, and PSNR takes the range of what was restored for its peak. Photographs
are the centres of those in FOLDER/imagenet_samples that are tested on, or, with ``--bundled``, of scikit-image's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kornia.filters import bilateral_blur
from torch import Tensor

from blurlab.blur import camera_path
from blurlab.blur.trajectory import STEPS, exposed, splat
from blurlab.core.rng import generator
from blurlab.dataset import Bundled, Folder, Source, make_split, prepare_all
from blurlab.deconvolver.wiener import wiener
from blurlab.metric import psnr
from blurlab.noise import quantise
from blurlab.physics import Convolution

EXPOSURES = (0.125, 0.25, 0.5, 1.0)
SNRS = tuple(range(9, 66, 4))
BOX, PHOTONS, READ_OUT = 34, 2048.0, 0.05
SIZE = 256
PUBLISHED = 16.6


def paper_kernels(seed: Tensor) -> Tensor:
    """Kernels (n, 4, 35, 35) of sum T, the trajectory in the middle of a box of 34 px, its start on a pixel."""
    path = camera_path(seed)
    path = path - path.amin(1, keepdim=True)
    path = path - path[:, :1].frac() + 1
    path = path + ((BOX - path.amax(1, keepdim=True)) / 2).ceil() - (BOX // 2 + 1)
    weights = [exposed(torch.full_like(seed, share, dtype=torch.float64)) / STEPS for share in EXPOSURES]
    return torch.stack([splat(path, weight, BOX + 1) for weight in weights], dim=1).float()


def observe(sharp: Tensor, psf: Tensor, draw: torch.Generator) -> Tensor:
    """Photons of the circular convolution and a read-out, divided by the largest and rounded to 8 bits."""
    photons = torch.poisson(PHOTONS * Convolution(psf).A(sharp).clamp_min(0), generator=draw)
    raw = photons + READ_OUT * torch.randn(sharp.shape, generator=draw)
    return quantise(raw / raw.amax((1, 2, 3), keepdim=True))


def restore(y: Tensor, psf: Tensor, snr: float) -> Tensor:
    """``conj(H) Y / (|H|^2 + 1 / snr)``, clipped and rounded to 8 bits."""
    return quantise(wiener(y, psf, torch.tensor(1 / snr)))


def bilateral(image: Tensor) -> Tensor:
    """The paper's filter: 7 px, 40 of 255 levels, 10 px."""
    return bilateral_blur(image, (7, 7), 40 / 255, (10.0, 10.0))


def psnr_of_range(x_hat: Tensor, x: Tensor) -> Tensor:
    """PSNR [dB] whose peak is the range of ``x_hat``, per image; NaN where that is of one colour."""
    contrast = x_hat.amax((1, 2, 3)) - x_hat.amin((1, 2, 3))
    return psnr(x_hat, x) + 20 * torch.where(contrast > 0, contrast, torch.nan).log10()


def measure(sharp: Tensor, paths: int, snrs: Sequence[float] = SNRS) -> dict[str, Tensor]:
    """PSNR [dB] per case: observed (N, 4), wiener and wiener_bilateral (N, 4, R); _range with that for its peak."""
    rows: dict[str, list[Tensor]] = {}
    for x, psf, draw in _cases(sharp, paths):
        y = observe(x, psf, draw)
        restored = [restore(y, psf, snr) for snr in snrs]
        smooth = [bilateral(one) for one in restored]
        for peak, measured in (("", psnr), ("_range", psnr_of_range)):
            rows.setdefault(f"observed{peak}", []).append(measured(y, x))
            for name, images in (("wiener", restored), ("wiener_bilateral", smooth)):
                values = torch.stack([measured(image, x) for image in images], dim=-1)
                rows.setdefault(f"{name}{peak}", []).append(values)
    return {name: torch.stack(values) for name, values in rows.items()}


def _cases(sharp: Tensor, paths: int) -> Iterator[tuple[Tensor, Tensor, torch.Generator]]:
    """Each photograph with each of its trajectories, four times (4, C, H, W) beside its kernels (4, 1, 35, 35)."""
    for index, photo in enumerate(sharp):
        kernels = paper_kernels(torch.arange(paths, dtype=torch.float64) + index * paths)
        for number, psf in enumerate(kernels):
            yield photo.expand(4, -1, -1, -1), psf[:, None], generator("gilbert2019", index, number)


def photographs(source: Source, count: int) -> tuple[list[str], Tensor]:
    """Names and centres (n, 3, 256, 256) in [0, 1] of test photographs; of a small set, of all."""
    photos = source.photos() if isinstance(source, Bundled) else make_split(source).test
    done = prepare_all(source, photos, SIZE, "rgb", resize=False, least=SIZE)
    arrays = np.stack(done.arrays[:count]).transpose(0, 3, 1, 2)
    return [photo.id for photo in done.photos[:count]], torch.from_numpy(arrays).float() / 255


def summary(measured: dict[str, Tensor]) -> dict[str, object]:
    """Means by exposure and ratio, over both, and the ratio whose mean is nearest to the published baseline."""
    means = {name: value.nanmean(0) for name, value in measured.items()}
    baseline = means["wiener_bilateral_range"].mean(0)
    nearest = int((baseline - PUBLISHED).abs().argmin())
    return {
        "by_exposure": {
            name: dict(zip(map(str, EXPOSURES), _rounded(value), strict=True)) for name, value in means.items()
        },
        "mean": {name: _rounded(value.mean(0)) for name, value in means.items()},
        "one_colour": _rounded(measured["wiener_range"].isnan().float().mean((0, 1))),
        "nearest_to_published": {"snr": SNRS[nearest], "psnr": round(float(baseline[nearest]), 2)},
    }


def _rounded(values: Tensor) -> Any:
    return json.loads(json.dumps(values.tolist()), parse_float=lambda number: round(float(number), 2))


def markdown(found: dict[str, Any], photographs: int) -> str:
    """The table: PSNR [dB] by exposure and ratio, peak 1 but in the last rows."""
    columns = ["", "blurred", *(f"{snr}" for snr in SNRS)]
    rows = [
        [f"T = {share}", found["by_exposure"]["observed"][share], *row]
        for share, row in found["by_exposure"]["wiener"].items()
    ]
    titles = {
        "wiener": "mean", "wiener_bilateral": "mean, bilateral filter after it",
        "wiener_range": "mean, peak as coded", "wiener_bilateral_range": "mean, bilateral, peak as coded",
    }  # fmt: skip
    for name, title in titles.items():
        peak = "_range" if name.endswith("_range") else ""
        rows.append([title, found["mean"][f"observed{peak}"], *found["mean"][name]])
    cells = [[f"{cell:.1f}" if isinstance(cell, float) else cell for cell in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in (columns, ["---"] * len(columns), *cells)]
    title = f"PSNR [dB] of the Wiener filter as coded, by exposure and signal-to-noise ratio; {photographs} photographs"
    return "\n".join([title, "", *lines, ""])


def main() -> None:
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("BLURLAB_DATA", "."))
    parser.add_argument("--bundled", action="store_true", help="scikit-image's photographs")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--paths", type=int, default=1, help="trajectories for each photograph")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "as_coded.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    source = Bundled() if args.bundled else Folder(Path(args.folder) / "imagenet_samples")
    names, sharp = photographs(source, args.count)
    found = summary(measure(sharp, args.paths))
    record = {
        "protocol": "as coded",
        "dataset": {"name": source.name, "photographs": names, "size": SIZE, "paths": args.paths},
        "exposures": EXPOSURES,
        "peak": "1; in _range the range of the restored image, the mean over those not of one colour",
        "snrs": SNRS,
        "psnr": found,
        "published": {"psnr": PUBLISHED, "source": "Gilbert2019 table 1"},
        "network": "not run",
        "versions": {"torch": torch.__version__, "cpu": platform.machine()},
    }
    table = markdown(found, len(names))
    print(table)
    args.output.parent.mkdir(exist_ok=True)
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    args.output.with_suffix(".md").write_text(table)


if __name__ == "__main__":
    main()
