"""Train the network of "Learning to Deblur", every stage at once; PyTorch on the CPU, resumable.

    python experiments/schuler2016/train_quotient.py OUT.pt --photographs FOLDER ... --steps 5000 6000

The paper adds stages one after another and pays for the last kernel alone. Here each stage of each scale is held
against the true kernel, resized to its side: the loss is the mean of ``|h - g|^2 / |h|^2``, that of the last stage
whole and that of the others by half. Scales are added from the smallest (one number of ``--steps`` each, all scales
learning on); a new one begins with the weights of the one before.

Crops with edges at 6 % of their pixels along rows and columns; kernels of ``blur=gp_trajectory`` of .55 to 1 of the
side; contrast .5 to 1.1; white noise of .3 to 1.2 %. AdamW, the rate warmed up and let down by a cosine in each part;
filters learn five times as fast as the rest, whose weights are as much smaller. Every tenth photograph is for
validation. ``OUT.pt`` holds everything to go on from; say the same command again after a stop. The weights of each
part are written beside it, ``OUT.<side>.safetensors``.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d
from tqdm import tqdm

from blurlab.blur import GPTrajectory
from blurlab.dataset import Folder
from blurlab.dataset.corruption import resize
from blurlab.dataset.edges import has_edges
from blurlab.head import LearningToDeblur
from blurlab.head.learning_to_deblur import resized
from blurlab.head.quotient import as_kernel
from blurlab.learning import begin_larger
from blurlab.pipeline.shipped import save_nets

SHRUNK = 0.8
"""Photographs are made smaller by this, so that what their files lost is not learned as blur."""
LARGEST_PX = 512
EDGES, ATTEMPTS = 0.06, 20
SMALLEST_KERNEL = 0.55
CONTRAST, NOISE = (0.5, 1.1), (0.003, 0.012)
RATE, FILTERS_RATE, WARM_UP, CLIP = 2e-3, 5, 100, 0.5
EARLIER = 0.5
"""Weight of the error of a stage that is not the last."""
KEEP_EVERY = 250
VALIDATED = 48


@dataclass
class Blurred:
    """Sharp photographs (H, W) in [0, 1], of which blurred crops are drawn.

    Attributes:
        photographs: In memory.
        side: Of the kernels.
        crop: Side of the crops that are returned.
        noise: Least and largest standard deviation of the noise.
    """

    photographs: list[Tensor]
    side: int
    crop: int
    noise: tuple[float, float] = NOISE

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Blurred crops (count, 1, crop, crop) and their kernels (count, 1, side, side)."""
        sharp = torch.stack([self._patch(generator) for _ in range(count)])
        family = GPTrajectory((SMALLEST_KERNEL * self.side, self.side), size=self.side)
        kind, params = family.draw(count, generator=generator)
        psf = family.psf(params, kind).float()
        y = conv2d(sharp[None], psf.flip(2, 3), groups=count)[0][:, None]
        contrast = uniform(CONTRAST, count, generator)
        level = uniform((math.log(self.noise[0]), math.log(self.noise[1])), count, generator).exp()
        return y * contrast + level * torch.randn(y.shape, generator=generator), psf

    def _patch(self, generator: torch.Generator) -> Tensor:
        whole = self.crop + self.side - 1
        for _ in range(ATTEMPTS):
            photograph = self.photographs[int(torch.randint(len(self.photographs), (), generator=generator))]
            top, left = (int(torch.randint(length - whole + 1, (), generator=generator)) for length in photograph.shape)
            patch = photograph[top : top + whole, left : left + whole]
            if has_edges((patch * 255).byte().numpy(), EDGES):
                break
        turns = int(torch.randint(4, (), generator=generator))
        return torch.rot90(patch, turns).contiguous()


def uniform(bounds: tuple[float, float], count: int, generator: torch.Generator) -> Tensor:
    """Numbers (count, 1, 1, 1) between two bounds."""
    return bounds[0] + (bounds[1] - bounds[0]) * torch.rand(count, 1, 1, 1, generator=generator)


def read(folders: list[Path], least_px: int) -> list[Tensor]:
    """The photographs (H, W) of folders in grey, shrunk, those with sides of at least so many pixels."""
    found = []
    for folder in folders:
        source = Folder(folder)
        for photo in tqdm(source.photos(), desc=str(folder)):
            grey = torch.from_numpy(np.asarray(source.load(photo))).mean(-1)
            factor = SHRUNK * min(1, LARGEST_PX / min(grey.shape))
            small = resize(grey[None, None], factor)[0, 0].clamp(0, 1)
            if min(small.shape) >= least_px:
                found.append(small)
    return found


def errors(net: LearningToDeblur, y: Tensor, psf: Tensor) -> list[Tensor]:
    """Relative squared errors (B,) of the kernel of each stage."""
    found = []
    for kernel in net.kernels(y):
        side = kernel.shape[-1]
        true = psf if side == psf.shape[-1] else as_kernel(resized(psf, side / psf.shape[-1]))
        found.append((kernel - true).square().sum((1, 2, 3)) / true.square().sum((1, 2, 3)))
    return found


def rate(step: int, steps: int) -> float:
    """The learning rate of a step of so many, over that of the warm-up's end."""
    return min(1.0, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / steps) + 0.005)


def part(
    net: LearningToDeblur,
    blurred: Blurred,
    held_out: Blurred,
    path: Path,
    *,
    steps: int,
    batch: int,
    state: dict[str, Any] | None = None,
) -> None:
    """Train with one set of scales from the step that ``state`` says, and keep in ``path`` what a later call needs."""
    state = {"step": 0, "optimizer": None} if state is None else state
    filters = [value for name, value in net.named_parameters() if name.endswith("filters")]
    others = [value for name, value in net.named_parameters() if not name.endswith("filters")]
    optimizer = torch.optim.AdamW([{"params": filters}, {"params": others}], betas=(0.9, 0.99), weight_decay=0)
    if state["optimizer"] is not None:
        optimizer.load_state_dict(state["optimizer"])
    y, psf = held_out.draw(VALIDATED, torch.Generator().manual_seed(1))
    bar = tqdm(range(state["step"], steps), initial=state["step"], total=steps, desc=f"{net.side} px", mininterval=10)
    for step in bar:
        generator = torch.Generator().manual_seed(step + 10_000_000 * len(net.sides))
        for group, factor in zip(optimizer.param_groups, (FILTERS_RATE, 1), strict=True):
            group["lr"] = RATE * factor * rate(step, steps)
        each = errors(net, *blurred.draw(batch, generator))
        loss = (each[-1] + EARLIER * sum(each[:-1], torch.zeros(()))).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        if (step + 1) % KEEP_EVERY == 0 or step + 1 == steps:
            with torch.no_grad():
                validated = " ".join(f"{float(one.mean()):.3f}" for one in errors(net, y, psf))
            print(f"{net.side} px, step {step + 1}: relative squared errors of the stages {validated}", flush=True)
            keep(path, net, step + 1, optimizer)


def keep(path: Path, net: LearningToDeblur, step: int, optimizer: torch.optim.Optimizer | None) -> None:
    """Write what a later call goes on from."""
    state = None if optimizer is None else optimizer.state_dict()
    whole = {"sides": net.sides, "step": step, "net": net.state_dict(), "optimizer": state}
    draft = path.with_suffix(".part")
    torch.save(whole, draft)
    draft.replace(path)


def main() -> None:
    """Train the parts one after another and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="a .pt file")
    parser.add_argument("--photographs", type=Path, nargs="+", required=True, help="folders of sharp photographs")
    parser.add_argument("--sides", type=int, nargs="+", default=[9, 17], help="kernels of the scales, px, rising")
    parser.add_argument("--steps", type=int, nargs="+", default=[5000, 6000], help="for each number of scales")
    parser.add_argument("--crop", type=float, default=4, help="side of the crops, in kernels; 64 px at least")
    parser.add_argument("--batch", type=int, default=16)
    args = parser.parse_args()
    if len(args.steps) != len(args.sides):
        parser.error("give as many --steps as --sides")
    largest = max(64, round(args.crop * args.sides[-1])) + args.sides[-1]
    photographs = read(args.photographs, largest)
    print(f"{len(photographs)} photographs of {largest} px and more")
    kept = torch.load(args.output, weights_only=True) if args.output.exists() else None
    first = 1 if kept is None else len(kept["sides"])
    net: LearningToDeblur | None = None
    for count in range(first, len(args.sides) + 1):
        sides = args.sides[:count]
        torch.manual_seed(0)
        before, net = net, LearningToDeblur(sides[-1] ** 2, sides_px=sides)
        state = None
        if kept is not None and len(kept["sides"]) == count:
            net.load_state_dict(kept["net"])
            state = kept
        elif before is not None:
            begin_larger(net, before.state_dict())
        crop = max(64, round(args.crop * sides[-1]))
        train = [one for number, one in enumerate(photographs) if number % 10]
        drawn, held_out = (Blurred(some, sides[-1], crop) for some in (train, photographs[::10]))
        part(net, drawn, held_out, args.output, steps=args.steps[count - 1], batch=args.batch, state=state)
        save_nets({"kernel": net}, args.output.with_suffix(f".{sides[-1]}.safetensors"), {"sides": str(sides)})


if __name__ == "__main__":
    main()
