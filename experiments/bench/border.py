"""What a border costs, by boundary and solver: ``python experiments/bench/border.py FOLDER``.

FOLDER holds bsds500 and levin09. ``--count`` test photographs of BSDS500 (green, their middle) are each blurred by one
of the eight kernels of levin09, in turn, and by a line of 6 and one of 13 px, given Gaussian noise, and cropped to the
160 x 160 pixels that the image determines (boundary ``valid``). ISNR of a region is 10 log10 of the sums of squared
errors over the region, of y over the restored, in one image; then the mean over the images. Regions: the outer 16 px,
and the interior. "known" is no boundary: the solver was given 16 pixels more of y on each side, so its figure for the
outer 16 px is what they hold by their content, with nothing lost at a border. "rings" are mean ISNRs of the default
(tv, unknown) over rings of 2 px from the border inwards. "limit" are Gaussian textures with the photographs' mean
squared gradient and a power that falls as its transfer function, restored by the mean of their posterior given the same
'valid' pixels: there no estimator has a smaller mean square error, so what is missing at the border is not to be had.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from blurlab.blur.motion import motion_psf
from blurlab.blur.shape import pad_to_odd
from blurlab.core.fourier import irfft2, rfft2
from blurlab.core.image_io import read_image
from blurlab.dataset import Bsds500
from blurlab.deconvolver import TV, Deconvolver, HyperLaplacian, Tikhonov, Wiener
from blurlab.deconvolver.border import BOUNDARIES
from blurlab.physics import Gradient

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
        "wiener": {boundary: Wiener(boundary=boundary) for boundary in BOUNDARIES},
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


def textures(sharp: Tensor) -> Tensor:
    """Gaussian images of the photographs' shape and mean squared gradient, power 1 / |D|^2."""
    shape = (2 * sharp.shape[-2], 2 * sharp.shape[-1])
    power = Gradient().power(shape, like=sharp)
    white = torch.randn(len(sharp), 1, *shape, generator=torch.Generator().manual_seed(1))
    drawn = irfft2(rfft2(white) * power.clamp_min(power[..., 0, 1].min()).rsqrt(), shape)
    return 0.5 + gradient_energy(sharp).sqrt() * drawn[..., : sharp.shape[-2], : sharp.shape[-1]]


def gradient_energy(x: Tensor) -> Tensor:
    """Mean squared length of the differences, all images together."""
    return x.diff(dim=-1).square().mean() + x.diff(dim=-2).square().mean()


def limit(sharp: Tensor, psf: Tensor, sigma: float) -> dict[str, float]:
    """Mean ISNR of the outer pixels and of the interior of :func:`textures`, restored as well as can be [dB]."""
    x = textures(sharp)
    inner = (..., slice(OUTER, -OUTER), slice(OUTER, -OUTER))
    wide = torch.nn.functional.conv2d(x.transpose(0, 1), psf.flip(-2, -1), groups=len(x)).transpose(0, 1)
    y = (wide + sigma * torch.randn(wide.shape, generator=torch.Generator().manual_seed(2)))[inner].contiguous()
    x = x[..., RADIUS:-RADIUS, RADIUS:-RADIUS][inner]
    weight = float(sigma**2 / gradient_energy(sharp))
    restored = Tikhonov(weight=weight, tolerance=1e-4)(y, psf, sigma).image
    outer = ring((y.shape[-2], y.shape[-1]), 0, OUTER)
    parts = {"outer": outer, "interior": 1 - outer}
    return {
        name: round(sum(found := region_isnr(x, y, restored, region)) / len(found), 3) for name, region in parts.items()
    }


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
            best = limit(sharp, psf.expand(len(sharp), -1, -1, -1), sigma)
            record["isnr"].setdefault(f"{sigma:g}/{group}", {})["limit"] = best
            print(f"{sigma:g} {group:7s} limit", best, flush=True)
            for (name, boundary), row in gains.items():
                means = {region: round(sum(values) / len(values), 3) for region, values in row.items()}
                record["isnr"].setdefault(f"{sigma:g}/{group}", {}).setdefault(name, {})[boundary] = means
                print(f"{sigma:g} {group:7s} {name:16s} {boundary:9s}", means, flush=True)
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(args.output)


if __name__ == "__main__":
    main()
