"""What a border costs, by boundary and solver: ``python experiments/bench/border.py FOLDER``.

FOLDER holds bsds500 and levin09. ``--count`` test photographs of BSDS500 (green, their middle) are each blurred by one
of the eight kernels of levin09, in turn, and by a line of 6 and one of 13 px, given Gaussian noise, and cropped to the
160 x 160 pixels that the image determines (boundary ``valid``). ISNR of a region is 10 log10 of the sums of squared
errors over the region, of y over the restored, in one image; then the mean over the images. Regions: the outer 16 px,
and the interior. "known" is no boundary: the solver was given 16 pixels more of y on each side, so its figure for the
outer 16 px is what they hold by their content, with nothing lost at a border. "rings" are mean ISNRs of the default
(tv, unknown) over rings of 2 px from the border inwards.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from blurlab.blur.motion import motion_psf
from blurlab.blur.shape import pad_to_odd
from blurlab.core.image_io import read_image
from blurlab.dataset import Bsds500
from blurlab.deconvolver import TV, Deconvolver, HyperLaplacian, Wiener
from blurlab.deconvolver.border import BOUNDARIES, PERIODIC

SIDE, OUTER, RADIUS = 160, 16, 13
SIGMAS = (0.004, 0.01)


def load(folder: Path, count: int) -> Tensor:
    """The middle of ``count`` test photographs, (n, 1, 218, 218) in [0, 1]."""
    source, need = Bsds500(folder, ("test",)), SIDE + 2 * (OUTER + RADIUS)
    photos = source.photos()
    images = []
    for photo in photos[:: max(len(photos) // count, 1)][:count]:
        green = torch.from_numpy(source.load(photo)[..., 1].copy())
        top, left = ((n - need) // 2 for n in green.shape)
        images.append(green[top : top + need, left : left + need])
    return torch.stack(images)[:, None]


def kernels(folder: Path) -> dict[str, Tensor]:
    """Name -> (1, 1, 27, 27)."""
    side = 2 * RADIUS + 1
    lines = motion_psf(torch.tensor([6.0, 13.0]), torch.tensor([0.0, 30.0]), side)
    found = {"line6": lines[:1], "line13": lines[1:]}
    for n in range(1, 9):
        psf = torch.from_numpy(read_image(folder / "levin09" / "gt" / f"kernel{n}.png")[..., 0].copy()).float()
        found[f"levin{n}"] = pad_to_odd((psf / psf.sum())[None, None], side)
    return found


def solvers() -> dict[str, dict[str, Deconvolver]]:
    """Name -> boundary -> solver."""
    return {
        "wiener": {boundary: Wiener(boundary=boundary) for boundary in PERIODIC},
        "tv": {boundary: TV(boundary=boundary) for boundary in BOUNDARIES},
        "hyper_laplacian": {"unknown": HyperLaplacian()},
    }


def region_isnr(x: Tensor, y: Tensor, restored: Tensor, region: Tensor) -> list[float]:
    """ISNR over the pixels of a region, per image [dB]."""
    before, after = (((image - x).square() * region).sum((1, 2, 3)) for image in (y, restored))
    return (10 * torch.log10(before / after)).tolist()


def ring(shape: tuple[int, int], first: int, last: int) -> Tensor:
    """1 on the pixels whose distance from the border is first .. last - 1 px, else 0."""
    rows, cols = (torch.minimum(torch.arange(n), n - 1 - torch.arange(n)) for n in shape)
    away = torch.minimum(rows[:, None], cols)
    return ((away >= first) & (away < last)).float()


def measure(sharp: Tensor, psf: Tensor, sigma: float) -> dict[tuple[str, str], dict[str, list[float]]]:
    """``(solver, boundary) -> region -> ISNR of each image``; kernels (n, 1, 27, 27)."""
    gains: dict[tuple[str, str], dict[str, list[float]]] = {}
    wide = torch.nn.functional.conv2d(sharp.transpose(0, 1), psf.flip(-2, -1), groups=len(sharp)).transpose(0, 1)
    wide = wide + sigma * torch.randn(wide.shape, generator=torch.Generator().manual_seed(0))
    inner = (..., slice(OUTER, -OUTER), slice(OUTER, -OUTER))
    x, y = sharp[..., RADIUS:-RADIUS, RADIUS:-RADIUS][inner], wide[inner].contiguous()
    shape = (y.shape[-2], y.shape[-1])
    outer = ring(shape, 0, OUTER)
    for name, by_boundary in solvers().items():
        restored = {boundary: solver(y, psf, sigma).image for boundary, solver in by_boundary.items()}
        restored["known"] = next(iter(by_boundary.values()))(wide, psf, sigma).image[inner]
        for boundary, image in restored.items():
            row = gains.setdefault((name, boundary), {})
            row["outer"] = region_isnr(x, y, image, outer)
            row["interior"] = region_isnr(x, y, image, 1 - outer)
            if (name, boundary) == ("tv", "unknown"):
                rings = {f"{n}..{n + 2}": ring(shape, n, n + 2) for n in range(0, OUTER, 2)}
                row |= {place: region_isnr(x, y, image, region) for place, region in rings.items()}
    return gains


def main() -> None:
    """Measure, print a line per solver and boundary, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=20, help="photographs")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "border.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    sharp, known = load(args.folder, args.count), kernels(args.folder)
    levin = torch.cat([known[f"levin{n % 8 + 1}"] for n in range(len(sharp))])
    groups = {"line6": known["line6"], "line13": known["line13"], "levin": levin}
    record: dict = {"images": len(sharp), "side": SIDE, "outer_px": OUTER, "boundary": {"data": "valid"}}
    record |= {"torch": torch.__version__, "isnr": {}}
    for sigma in SIGMAS:
        for group, psf in groups.items():
            gains = measure(sharp, psf.expand(len(sharp), -1, -1, -1), sigma)
            for (name, boundary), row in gains.items():
                means = {region: round(sum(values) / len(values), 3) for region, values in row.items()}
                record["isnr"].setdefault(f"{sigma:g}/{group}", {}).setdefault(name, {})[boundary] = means
                print(f"{sigma:g} {group:7s} {name:16s} {boundary:9s}", means, flush=True)
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(args.output)


if __name__ == "__main__":
    main()
