"""Trains the network of `pipeline=aberrations_network` on measurements of images that are made and stored first.

    python experiments/deepblur2024/network.py measure DATA FOLDER --count 16000  # imagenet_samples, bsds500
    python experiments/deepblur2024/network.py measure DATA FOLDER --count 1000 --part val
    python experiments/deepblur2024/network.py train FOLDER            # goes on where it was stopped
    python experiments/deepblur2024/network.py save FOLDER OUT.safetensors

Photographs: imagenet_samples, the training part of BSDS500, drawn nuclei; the validation part for `val`. A third is
made like a microscope's images: softened, darkened, with noise of its own. Each is turned and mirrored at random, gets
a kernel of `blur=zernike` and two levels of noise between .0005 and .3.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import interpolate

from blurlab.blur import Zernike
from blurlab.dataset.micrograph import like_a_microscope
from blurlab.dataset.nuclei import nuclei
from blurlab.head.aberration_target import AberrationTarget
from blurlab.head.spectrum_and_edges import SpectrumAndEdges, inverted, measure, turned
from blurlab.metric import psf_snr
from blurlab.physics import Convolution
from blurlab.pipeline.aberrations import PROBE, TASK, Optics
from blurlab.pipeline.shipped import save_nets

MARGIN, LEVELS, SHARD = 30, 2, 500
SIGMAS = (0.0005, 0.3)
NUCLEI, VAL_NUCLEI = 120, 16
SIDES = (256, 256, 288)
PARTS = ("spectra", "averages", "numbers")


@lru_cache
def photographs(data: Path, part: str) -> list[Tensor]:
    """Grey photographs (H, W), uint8."""
    train = [*data.glob("imagenet_samples/*.JPEG"), *data.glob("bsds500/train/*.jpg")]
    paths = sorted(train if part == "train" else data.glob("bsds500/val/*.jpg"))
    found = [torch.from_numpy(np.asarray(Image.open(path).convert("L")).copy()) for path in paths]
    return [one for one in found if min(one.shape) >= max(SIDES) + MARGIN]


@lru_cache
def drawn(part: str) -> list[Tensor]:
    """Pictures of nuclei (H, W), uint8."""
    first, count = (0, NUCLEI) if part == "train" else (10_000, VAL_NUCLEI)
    pictures = (nuclei(first + seed, 400)[..., 0] for seed in range(count))
    return [torch.from_numpy((255 * one).round().astype(np.uint8)) for one in pictures]


def cut(image: Tensor, side: int, draw: torch.Generator) -> Tensor:
    """A square (1, 1, side, side) of a photograph, turned and mirrored, now and then shrunk first."""
    x = image[None, None].float() / 255
    least = side / min(image.shape)
    if float(torch.rand((), generator=draw)) < 0.4 and least < 0.95:
        share = max(least, 0.55) + (1 - max(least, 0.55)) * float(torch.rand((), generator=draw))
        size = [max(side, round(share * length)) for length in image.shape]
        x = interpolate(x, size, mode="bilinear", antialias=True)
    top, left = (int(torch.randint(length - side + 1, (), generator=draw)) for length in x.shape[-2:])
    x = x[..., top : top + side, left : left + side]
    turns, mirror = torch.randint(4, (), generator=draw), torch.randint(2, (), generator=draw)
    return torch.rot90(x.flip(-1) if mirror else x, int(turns), (-2, -1))


def items(data: Path, part: str, seed: int) -> Iterator[tuple[Tensor, Tensor, float, bool]]:
    """Observed images (1, 1, H, W), coefficients (P,), noise, and whether it is like a microscope's; without an end."""
    draw = torch.Generator().manual_seed(seed)
    family, photos, pictures = Zernike(pixel_nm=100), photographs(data, part), drawn(part)
    while True:
        micro = float(torch.rand((), generator=draw)) < 1 / 3
        pool = pictures if micro and float(torch.rand((), generator=draw)) < 0.5 else photos
        side = SIDES[int(torch.randint(len(SIDES), (), generator=draw))] + MARGIN
        x = cut(pool[int(torch.randint(len(pool), (), generator=draw))], side, draw)
        if float(x.std()) < 0.01:
            continue
        x = (255 * (like_a_microscope(x, generator=draw) if micro else x)).round() / 255
        blur = family.sample(1, generator=draw)
        clean = Convolution(blur.psf, "valid").forward(x)
        for _ in range(LEVELS):
            sigma = SIGMAS[0] * (SIGMAS[1] / SIGMAS[0]) ** float(torch.rand((), generator=draw))
            yield clean + sigma * torch.randn(clean.shape, generator=draw), blur.params[0], sigma, micro


def measure_all(data: Path, folder: Path, part: str, count: int, seed: int) -> None:
    """Store shards of what the head looks at, ``SHARD`` items each; those that are there are left."""
    for number in range(math.ceil(count / SHARD)):
        path = folder / f"{part}{number:04d}.safetensors"
        if path.exists():
            continue
        seen: dict[str, list[Tensor]] = {name: [] for name in (*PARTS, "params", "facts")}
        source = items(data, part, seed + 1000 * number + (0 if part == "train" else 500))
        begun = time.process_time()
        with torch.inference_mode():
            for y, params, sigma, micro in (next(source) for _ in range(SHARD)):
                for name, value in zip(PARTS, measure(y), strict=True):
                    seen[name].append(value[0].half() if name != "numbers" else value[0])
                seen["params"].append(params)
                seen["facts"].append(torch.tensor([sigma, float(micro)]))
        waiting = path.with_suffix(".part")
        save_file({name: torch.stack(value) for name, value in seen.items()}, waiting)
        waiting.rename(path)
        print(f"{path.name}: {(time.process_time() - begun) / SHARD:.3f} s an item", flush=True)


def load(folder: Path, part: str) -> dict[str, Tensor]:
    """All shards of a part, one after another."""
    shards = [load_file(path) for path in sorted(folder.glob(f"{part}*.safetensors"))]
    return {name: torch.cat([shard[name] for shard in shards]) for name in shards[0]}


def rows(stored: dict[str, Tensor], some: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the head looks at in these items."""
    spectra, averages, numbers = (stored[name][some].float() for name in PARTS)
    return spectra, averages, numbers


def train(folder: Path, epochs: int, batch: int, rate: float, seed: int) -> None:
    """Fit the head to the stored measurements; a checkpoint an epoch."""
    torch.manual_seed(seed)
    family = Zernike(pixel_nm=100)
    target = AberrationTarget(family)
    net = SpectrumAndEdges(len(target))
    stored, held = load(folder, "train"), load(folder, "val")
    target.begin(net)
    steps = epochs * (len(stored["params"]) // batch)
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    checkpoint, first = folder / "checkpoint.pt", 0
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(kept["net"])
        optimizer.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        first = kept["epoch"]
    for epoch in range(first, epochs):
        net.train()
        order = torch.randperm(len(stored["params"]), generator=torch.Generator().manual_seed(seed + epoch))
        total, begun = [], time.process_time()
        for some in order[: len(order) // batch * batch].split(batch):
            seen, params = rows(stored, some), stored["params"][some]
            if torch.rand(()) < 0.5:
                seen, params = turned(seen), family.reversed(params)
            if torch.rand(()) < 0.5:
                seen = inverted(seen)
            loss = target.loss_of(net.of(seen), family.psf(params), params).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            total.append(float(loss.detach()))
        parts = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
        torch.save({**parts, "epoch": epoch + 1}, checkpoint)
        spent = (time.process_time() - begun) / len(order)
        print(
            f"epoch {epoch + 1}: loss {np.mean(total):.3f}, {1e3 * spent:.1f} ms an item; {held_out(net, target, held)}"
        )


def held_out(net: SpectrumAndEdges, target: AberrationTarget, held: dict[str, Tensor]) -> str:
    """Mean SNR of the kernels of validation photographs, by their noise."""
    net.eval()
    snr = []
    with torch.inference_mode():
        for some in torch.arange(len(held["params"])).split(100):
            found = target.read(net.of(rows(held, some))).psf
            snr.append(psf_snr(found, target.family.psf(held["params"][some])))
    sigma, micro = held["facts"].T
    every, said = torch.cat(snr), []
    for low, high in ((0, 0.002), (0.002, 0.02), (0.02, 0.1), (0.1, 1)):
        chosen = (sigma >= low) & (sigma < high)
        values = (float(every[chosen & (micro == kind)].mean()) for kind in (0, 1))
        said.append(f"< {high:g}: " + " and ".join(f"{value:.2f}" for value in values))
    return "SNR of photographs and microscopes' images, noise " + "; ".join(said)


def save(folder: Path, out: Path) -> None:
    """Write the network of the last checkpoint, and a kernel of its optics."""
    family = Zernike(pixel_nm=100)
    net = SpectrumAndEdges(len(AberrationTarget(family)))
    net.load_state_dict(torch.load(folder / "checkpoint.pt", weights_only=True)["net"])
    save_nets({TASK: net, PROBE: Optics(family)}, out, {"made by": "experiments/deepblur2024/network.py"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("measure")
    one.add_argument("data", type=Path)
    one.add_argument("folder", type=Path)
    one.add_argument("--part", choices=("train", "val"), default="train")
    one.add_argument("--count", type=int, default=30_000)
    two = verbs.add_parser("train")
    two.add_argument("folder", type=Path)
    two.add_argument("--epochs", type=int, default=10)
    two.add_argument("--batch", type=int, default=64)
    two.add_argument("--rate", type=float, default=2e-3)
    three = verbs.add_parser("save")
    three.add_argument("folder", type=Path)
    three.add_argument("out", type=Path)
    for verb in (one, two):
        verb.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.verb == "measure":
        measure_all(asked.data, asked.folder, asked.part, asked.count, asked.seed)
    elif asked.verb == "save":
        save(asked.folder, asked.out)
    else:
        train(asked.folder, asked.epochs, asked.batch, asked.rate, asked.seed)
