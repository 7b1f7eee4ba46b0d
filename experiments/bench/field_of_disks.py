"""A disk that grows from the middle of the image to its corners, undone.

    python experiments/bench/field_of_disks.py FOLDER    # writes results/field_of_disks.json, .md and .png

FOLDER holds bsds500 and fundus (without it scikit-image's photographs alone are used). ``SIDE`` x ``SIDE`` pixels of
photographs are blurred by a matrix of scipy whose column for each sharp pixel is a disk of that pixel's own radius,
``MIDDLE_PX (1 + (GROWTH - 1) d^2)``, d = 1 in the corners, each entry an area counted on ``FINE`` x ``FINE`` points: no
code of blurlab's. Noise of ``SIGMA``; y is what needs nothing beyond the photograph.

Each solver restores y told the operator of ``blurlab.blur.Field`` (``KERNELS`` kernels, interpolated), and told one
kernel, the mean of the field's over the image. Douglas-Rachford is told the matrix itself too, with the same weight:
what the interpolation costs. ISNR by rings of equal steps in d^2 and by 4 x 4 tiles, in each image; then means over the
images, and the worst of them.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse
from skimage import data
from timing import machine
from torch import Tensor

from blurlab.blur import Defocus, Field
from blurlab.core.image_io import write_image
from blurlab.dataset import Bsds500, Drive
from blurlab.dataset.prepare import to_square
from blurlab.deconvolver import TV, Deconvolver, DouglasRachford, Learned, RichardsonLucy, Tiled, UNet, UnrolledDR
from blurlab.deconvolver.weight import FromGradient
from blurlab.physics import LinearOperator

SIDE, SIGMA = 192, 0.005
MIDDLE_PX, GROWTH, KERNELS = 0.8, 6.0, 12
FINE = 32
RINGS, TILES = 6, 4
OVERSAMPLED = 1.6
"""Photographs of DRIVE are reduced by so much: as they come they show nothing as fine as a pixel."""
FIELD = Field(Defocus(MIDDLE_PX), growth=GROWTH, kernels=KERNELS)
MARGIN = FIELD.size // 2
RESULTS = Path(__file__).parent / "results"


class Matrix(LinearOperator):
    """Images times a sparse matrix, from a grid of ``sharp`` to one of ``seen`` pixels."""

    def __init__(self, matrix: sparse.csr_matrix, sharp: tuple[int, int], seen: tuple[int, int]) -> None:
        self.matrix, self.transposed, self.sharp, self.seen = matrix, matrix.T.tocsr(), sharp, seen

    def forward(self, x: Tensor) -> Tensor:
        """A x."""
        return self._times(self.matrix, x, self.seen)

    def adjoint(self, y: Tensor) -> Tensor:
        """A* y."""
        return self._times(self.transposed, y, self.sharp)

    def _times(self, matrix: sparse.csr_matrix, image: Tensor, shape: tuple[int, int]) -> Tensor:
        columns = image.reshape(-1, image.shape[-2] * image.shape[-1]).numpy().T
        return torch.from_numpy(np.ascontiguousarray((matrix @ columns).T)).reshape(*image.shape[:-2], *shape)


def squared_distance(side: int) -> np.ndarray:
    """d^2 of each pixel of a square, 1 in the corners."""
    line = np.linspace(-1, 1, side) ** 2
    return (line[:, None] + line) / 2


def disk(radius: float) -> np.ndarray:
    """Shares of a uniform disk on pixels (2 MARGIN + 1 a side): points of a fine grid that lie within, counted."""
    size = 2 * MARGIN + 1
    line = (np.arange(size * FINE) + 0.5) / FINE - size / 2
    inside = (line[:, None] ** 2 + line**2 <= radius**2).reshape(size, FINE, size, FINE).mean((1, 3))
    return inside / inside.sum()


def true_operator(side: int) -> Matrix:
    """The matrix: column by column, what a sharp pixel's light becomes."""
    wide = side + 2 * MARGIN
    radii = np.round(MIDDLE_PX * (1 + (GROWTH - 1) * squared_distance(wide)), 3)
    known = {radius: disk(float(radius)).astype(np.float32) for radius in np.unique(radii)}
    rows, columns, values = [], [], []
    for place, radius in enumerate(radii.flat):
        down, right = divmod(place, wide)
        kernel = known[radius]
        i, j = np.nonzero(kernel)
        row, col = down - 2 * MARGIN + i, right - 2 * MARGIN + j
        seen = (row >= 0) & (row < side) & (col >= 0) & (col < side)
        rows.append(row[seen] * side + col[seen])
        columns.append(np.full(seen.sum(), place))
        values.append(kernel[i, j][seen])
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return Matrix(sparse.coo_matrix(entries, (side**2, wide**2)).tocsr(), (wide, wide), (side, side))


def photographs(folder: Path | None, count: int) -> dict[str, Tensor]:
    """Name -> (1, 1, w, w) in [0, 1], green or grey, w the side with its margins."""
    wide = SIDE + 2 * MARGIN
    found = {name: middle(image / 255, wide) for name, image in (("camera", data.camera()[..., None]), *colours())}
    if folder is not None:
        for source, factor in ((Bsds500(folder, ("test",)), 1.0), (Drive(folder / "fundus"), OVERSAMPLED)):
            photos = source.photos()
            for photo in photos[:: max(len(photos) // count, 1)][:count]:
                found[photo.id] = middle(source.load(photo), wide, factor)
    return {name: torch.from_numpy(image).permute(2, 0, 1)[None] for name, image in found.items()}


def colours() -> list[tuple[str, np.ndarray]]:
    """scikit-image's colour photographs."""
    return [("astronaut", data.astronaut()), ("coffee", data.coffee())]


def middle(image: np.ndarray, side: int, factor: float = 1.0) -> np.ndarray:
    """The middle of a photograph, ``factor`` times as wide and reduced to the side by averaging over areas."""
    cut = round(side * factor)
    top, left = ((n - cut) // 2 for n in image.shape[:2])
    reduced = to_square(image[top : top + cut, left : left + cut].astype(np.float32), side, "green")
    return reduced.astype(np.float32) / 255


def parts() -> dict[str, Tensor]:
    """Name of a ring or tile -> its pixels (SIDE, SIDE), bool."""
    inner = squared_distance(SIDE + 2 * MARGIN)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    ring = np.minimum((inner / inner.max() * RINGS).astype(int), RINGS - 1)
    line = np.arange(SIDE) * TILES // SIDE
    named = {f"ring {n}": ring == n for n in range(RINGS)}
    named |= {f"tile {i},{j}": (line[:, None] == i) & (line == j) for i in range(TILES) for j in range(TILES)}
    return {"all": torch.ones(SIDE, SIDE, dtype=torch.bool)} | {
        name: torch.from_numpy(at) for name, at in named.items()
    }


def isnr_in(x: Tensor, y: Tensor, restored: Tensor, places: dict[str, Tensor]) -> dict[str, float]:
    """ISNR over the pixels of each place [dB]."""
    before, after = ((image - x).square()[0, 0] for image in (y, restored))
    return {name: float(10 * torch.log10(before[at].sum() / after[at].sum())) for name, at in places.items()}


def solvers() -> dict[str, Deconvolver]:
    """Name -> deconvolver that takes the field."""
    net = UnrolledDR(partial(UNet, channels=(32, 64, 128), blocks=1))
    return {
        "douglas_rachford": DouglasRachford(),
        "richardson_lucy": RichardsonLucy(),
        "unrolled_dr": Learned(net, "unrolled_dr_tiny"),
        "tiled_tv": Tiled(TV(), tile=48, overlap=11),
    }


def restore(y: Tensor, exact: Matrix) -> dict[str, tuple[Tensor, float]]:
    """Name of solver / what it was told -> image and processor time [s]."""
    wide = SIDE + 2 * MARGIN
    params = torch.tensor([[MIDDLE_PX, GROWTH]])
    field = FIELD.operator(params, shape=(wide, wide))
    weight = float(FromGradient().choose_varying(y, field, torch.full((1, 1, 1, 1), SIGMA)))
    kernel = FIELD.psf(params)
    calls = {f"{name}/field": partial(solver, y, field, SIGMA) for name, solver in solvers().items()}
    calls |= {f"{name}/mean kernel": partial(solver, y, kernel, SIGMA) for name, solver in solvers().items()}
    calls["douglas_rachford/matrix"] = partial(DouglasRachford(weight=weight), y, exact, SIGMA)
    restored = {}
    for name, call in calls.items():
        start = time.process_time()
        restored[name] = call().image, time.process_time() - start
    return restored


def measure(folder: Path | None, count: int) -> tuple[dict[str, Any], Tensor]:
    """Per photograph and call the ISNR in each place; and the first photographs side by side."""
    exact, places = true_operator(SIDE), parts()
    rows, pictures = {}, []
    for number, (name, wide) in enumerate(photographs(folder, count).items()):
        y = exact.A(wide)
        y = y + SIGMA * torch.randn(y.shape, generator=torch.Generator().manual_seed(number))
        x = wide[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
        found = restore(y, exact)
        rows[name] = {
            call: {"isnr": isnr_in(x, y, image, places), "seconds": seconds} for call, (image, seconds) in found.items()
        }
        gained = {call: round(row["isnr"]["all"], 2) for call, row in rows[name].items()}
        print(f"{name}: {gained}", flush=True)
        if number < 2:
            shown = [x, y, *(found[f"{one}/field"][0] for one in solvers()), found["douglas_rachford/mean kernel"][0]]
            pictures.append(torch.cat([image[0, 0] for image in shown], 1))
    return rows, torch.cat(pictures)


def summarise(rows: dict[str, Any]) -> dict[str, Any]:
    """Means over the photographs and the worst of them."""
    mean: dict[str, dict[str, float]] = {}
    for call in next(iter(rows.values())):
        isnr = [row[call]["isnr"] for row in rows.values()]
        mean[call] = {place: round(float(np.mean([one[place] for one in isnr])), 3) for place in isnr[0]}
        mean[call]["seconds"] = round(float(np.mean([row[call]["seconds"] for row in rows.values()])), 2)
    places = [place for place in mean["douglas_rachford/field"] if place not in ("all", "seconds")]
    ours, matrix, kernel = (f"douglas_rachford/{told}" for told in ("field", "matrix", "mean kernel"))

    def apart(one: str, other: str) -> list[list[float]]:
        return [[row[one]["isnr"][at] - row[other]["isnr"][at] for at in places] for row in rows.values()]

    below, above = np.array(apart(matrix, ours)), np.array(apart(ours, kernel))
    return {
        "mean": mean,
        "below_the_matrix_db": {
            "all": round(mean[matrix]["all"] - mean[ours]["all"], 3),
            "worst_place": round(float(below.mean(0).max()), 3),
            "worst_place_of_an_image": round(float(below.max()), 3),
        },
        "above_one_kernel_db": {
            "all": round(mean[ours]["all"] - mean[kernel]["all"], 3),
            "worst_place": round(float(above.mean(0).min()), 3),
            "worst_place_of_an_image": round(float(above.min()), 3),
        },
    }


def table(record: dict[str, Any]) -> str:
    """The record as a page of Markdown."""
    found, rings = record["summary"], [f"ring {n}" for n in range(RINGS)]
    lines = [
        "# A field of disks, undone",
        "",
        f"Written by `python experiments/bench/field_of_disks.py FOLDER`. {len(record['photographs'])} photographs of "
        f"{SIDE} x {SIDE} px ({', '.join(record['photographs'])}); a disk of {MIDDLE_PX:g} px in the middle and "
        f"{MIDDLE_PX * GROWTH:g} px in the corners; noise {SIGMA:g}. ISNR in dB, mean over the photographs.",
        "",
        "| solver | told | all | " + " | ".join(rings) + " | CPU s |",
        "|---|---|" + "---:|" * (RINGS + 2),
    ]
    for call, row in found["mean"].items():
        cells = [f"{row[place]:.2f}" for place in ("all", *rings)]
        lines.append(f"| {' | '.join(call.split('/'))} | {' | '.join(cells)} | {row['seconds']:.1f} |")
    below, above = found["below_the_matrix_db"], found["above_one_kernel_db"]
    lines += [
        "",
        f"Douglas-Rachford told the field is {below['all']:.3f} dB below the same told the matrix; in the worst ring "
        f"or tile {below['worst_place']:.3f} dB (of any one photograph {below['worst_place_of_an_image']:.3f} dB).",
        "",
        f"It is {above['all']:.2f} dB above the same told one mean kernel; in the worst ring or tile "
        f"{above['worst_place']:.2f} dB (of any one photograph {above['worst_place_of_an_image']:.2f} dB).",
        "",
        "Sharp, observed, told the field (Douglas-Rachford, Richardson-Lucy, unrolled, tiled TV), told one kernel:",
        "",
        "![two photographs](field_of_disks.png)",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, write record, page and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=3, help="photographs of each set")
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows, picture = measure(args.folder, args.count)
    record = {
        "side": SIDE,
        "sigma": SIGMA,
        "radius_px": [MIDDLE_PX, MIDDLE_PX * GROWTH],
        "kernels": KERNELS,
        "boundary": {"data": "valid", "solver": "valid"},
        "machine": machine(),
        "photographs": list(rows),
        "summary": summarise(rows),
        "isnr": {name: {call: round(one["isnr"]["all"], 2) for call, one in row.items()} for name, row in rows.items()},
    }
    (args.output / "field_of_disks.json").write_text(json.dumps(record, indent=1) + "\n")
    (args.output / "field_of_disks.md").write_text(table(record))
    write_image(args.output / "field_of_disks.png", picture.clamp(0, 1).numpy()[..., None])
    print(table(record))


if __name__ == "__main__":
    main()
