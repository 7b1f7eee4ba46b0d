"""Images by kernels: the SNR of every kernel found in every image, the paper's figure 4.

    python experiments/deepblur2024/images_by_kernels.py DATA FOLDER    # DATA holds bsds500

writes results/images_by_kernels.json and .png. The middles of ``--images`` test photographs of BSDS500, 288 px, are
each blurred by the same ``--kernels`` kernels of `blur=zernike`, with noise of ``--sigma``. The network of
`pipeline=aberrations_network` names all of them; the whole pipeline, which takes seconds an image, the first ``--both``
kernels of the first ``--both`` images. FOLDER keeps what was found in each image: say the same command again after a
stop. How much of the variance belongs to the images (stripes from top to bottom) and to the kernels (from left to
right) is a two-way analysis of variance. In the picture an image is a column, a kernel a row, both sorted by their
means; the network's table is on the left, that of the whole pipeline on the right.
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kept import check, digest
from rich.progress import track
from torch import Tensor

from blurlab.blur import Zernike
from blurlab.core.image_io import write_image
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500, Subset
from blurlab.dataset.prepare import pick_channel
from blurlab.metric import psf_snr
from blurlab.physics import Convolution
from blurlab.pipeline.aberrations import Aberrations
from blurlab.run.command.member import member
from blurlab.run.setup.build import build

RESULTS = Path(__file__).parent / "results"
SIDE, SEED = 288, 0
SHOWN_DB = (0.0, 30.0)
"""What is black and what is white in the picture."""
CELL, GAP = 6, 12
"""Side of a cell of the network's table, and the distance of the tables, px."""
COLOURS = ((0, 0, 40), (60, 20, 120), (180, 50, 110), (250, 140, 60), (255, 245, 190))


def middles(data: Path, count: int, side: int) -> list[Tensor]:
    """The middles (1, 1, side, side) of test photographs, grey."""
    source = Subset(Bsds500(data, ["test"]), count)
    found = []
    for photo in source.photos():
        pixels = pick_channel(source.load(photo), "grey")[..., 0]
        top, left = ((whole - side) // 2 for whole in pixels.shape)
        found.append(torch.from_numpy(pixels[top : top + side, left : left + side].copy())[None, None].float())
    return found


def column(x: Tensor, psf: Tensor, asked: Aberrations, sigma: float, number: int, both: int) -> dict[str, Tensor]:
    """SNR of each kernel (K,) of one image by the network, and of the first ``both`` by the whole pipeline."""
    own, whole = [], []
    for row, kernel in enumerate(psf[:, None]):
        draw = generator(SEED, "noise", number, row)
        y = Convolution(kernel, "valid").forward(x)
        y = y + sigma * torch.randn(y.shape, generator=draw)
        own.append(psf_snr(asked.believed(y)[1], kernel))
        if row < both and number < both:
            whole.append(psf_snr(asked.identify(y, {}, {}).psf, kernel))
    return {"network": torch.cat(own), "pipeline": torch.cat(whole) if whole else torch.empty(0)}


def stripes(table: Tensor) -> dict[str, Any]:
    """Mean of a table (kernels, images), and the shares of its variance that images and kernels explain."""
    about = table - table.mean()
    whole = float(about.square().mean())
    parts = {"images": float(about.mean(0).square().mean()), "kernels": float(about.mean(1).square().mean())}
    return {
        "mean_db": round(float(table.mean()), 2),
        "variance_of_images": round(parts["images"] / whole, 3),
        "variance_of_kernels": round(parts["kernels"] / whole, 3),
        "least_mean_of_an_image_db": round(float(table.mean(0).min()), 2),
        "least_mean_of_a_kernel_db": round(float(table.mean(1).min()), 2),
        "shape": list(table.shape),
        "db": [[round(value, 1) for value in row] for row in table.tolist()],
    }


def drawn(table: Tensor, cell: int) -> Tensor:
    """A table as colours (3, h, w), rows and columns sorted by their means."""
    table = table[table.mean(1).argsort()][:, table.mean(0).argsort()]
    low, high = SHOWN_DB
    share = ((table - low) / (high - low)).clamp(0, 1)
    at = np.linspace(0, 1, len(COLOURS))
    bands = [np.interp(share.numpy(), at, [colour[band] / 255 for colour in COLOURS]) for band in range(3)]
    image = torch.from_numpy(np.stack(bands)).float()
    return image.repeat_interleave(cell, 1).repeat_interleave(cell, 2)


def main(data: Path, folder: Path, images: int, kernels: int, both: int, sigma: float) -> None:
    """Measure, keep, write."""
    check(
        folder, weights=digest("zernike"), side=SIDE, images=images, kernels=kernels, both=both, sigma=sigma, seed=SEED
    )
    family = Zernike(pixel_nm=100)
    asked = build(member("pipeline", "aberrations_network"), family)
    psf = family.sample(kernels, generator=generator(SEED, "kernels")).psf
    columns = []
    photographs = middles(data, images, SIDE + family.size - 1)
    for number, x in enumerate(track(photographs, description="images")):
        path = folder / f"{number}.pt"
        if not path.exists():
            with torch.inference_mode():
                torch.save(column(x, psf, asked, sigma, number, both), path)
        columns.append(torch.load(path, weights_only=True))
    tables = {"network": torch.stack([one["network"] for one in columns], 1)}
    if both:
        tables["pipeline"] = torch.stack([one["pipeline"] for one in columns[:both]], 1)
    record = {
        "created": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "dataset": "bsds500 test",
        "side_px": SIDE,
        "sigma": sigma,
        "seed": SEED,
        "published": "figure 4, 100 x 100, no noise; its numbers are not printed",
        "device": "cpu",
        "torch": torch.__version__,
        "tables": {name: stripes(table) for name, table in tables.items()},
    }
    (RESULTS / "images_by_kernels.json").write_text(json.dumps(record) + "\n")
    picture = drawn(tables["network"], CELL)
    if both:
        other = drawn(tables["pipeline"], picture.shape[1] // both)
        high = max(picture.shape[1], other.shape[1])
        canvas = torch.ones(3, high, picture.shape[2] + GAP + other.shape[2])
        canvas[:, : picture.shape[1], : picture.shape[2]] = picture
        canvas[:, : other.shape[1], -other.shape[2] :] = other
        picture = canvas
    write_image(RESULTS / "images_by_kernels.png", picture.permute(1, 2, 0).numpy())
    for name, table in record["tables"].items():
        print(name, {key: value for key, value in table.items() if key != "db"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="holds bsds500")
    parser.add_argument("folder", type=Path, help="where what was found is kept")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--kernels", type=int, default=100)
    parser.add_argument("--both", type=int, default=16, help="images and kernels of the whole pipeline's table")
    parser.add_argument("--sigma", type=float, default=0.001)
    main(**vars(parser.parse_args()))
