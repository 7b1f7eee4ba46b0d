"""Fit the network of pipeline=quotient (blurlab.head.RepeatedStage) to photographs.

    python experiments/schuler2016/fit_stage.py OUT.safetensors --photographs FOLDER ...

Gradients mislead here: an error of the first round goes through the dozens that follow, and what descends most is a
network whose kernels are smooth and safe. So its few numbers are searched for one by one, without derivatives: each is
moved up and down by its step, the better move is kept if the score falls, else the step becomes smaller. What is
fitted are the thresholds of strong edges, the widths of the derivatives, the weights of both quotients and the share of
a kernel's largest value below which it is cut; the filters and both layers of tanh follow from them.

Score: the mean logarithm of the error that a Wiener filter with the estimated kernel makes over that with the true
kernel, the two as near to each other as shifts by quarters of a pixel bring them, for images of a spectrum 1 / f^2
with a standard deviation of .2 and noise of ``--sigma``. It is taken over crops of the photographs, made smaller by .8,
through kernels of ``blur=gp_trajectory`` of 13, 19 and 25 px at each noise of ``--noise``. The kernels' size is told,
as in published tables. Photographs that are tested on must not be among those of ``--photographs``.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad
from tqdm import tqdm
from train_quotient import Blurred, read

from blurlab.head import RepeatedStage, repeated_stage
from blurlab.head.repeated_stage import MARGIN_PX, begin_strong
from blurlab.pipeline.shipped import save_nets

SIDES_PX, CROP_PX = (13, 19, 25), 230
GRID, STD, SIGMA, FINER = 64, 0.2, 0.007, 4
SMALLER = 0.6
"""By this a step becomes smaller where neither direction is better."""


@dataclass(frozen=True)
class Numbers:
    """What is fitted; logarithms but for the last.

    Attributes:
        sharp_px: Of the Gaussian whose derivative is taken of the latent image.
        blurred_px: The same of the blurred image.
        threshold: Of strong edges.
        fall: By how much it falls from round to round.
        rise: By how much it rises from scale to scale.
        beta_k: Weight of the kernel's energy.
        beta_x: Weight of the latent image's energy.
        least_share: Of the largest value of a kernel, below which it is cut.
    """

    sharp_px: float = math.log(repeated_stage.DERIVATIVE_PX)
    blurred_px: float = math.log(repeated_stage.DERIVATIVE_PX)
    threshold: float = repeated_stage.LOG_THRESHOLD
    fall: float = repeated_stage.LOG_FALL
    rise: float = repeated_stage.LOG_RISE
    beta_k: float = math.log(repeated_stage.BETA_K)
    beta_x: float = math.log(repeated_stage.BETA_X)
    least_share: float = repeated_stage.LEAST_SHARE

    def network(self) -> RepeatedStage:
        """The network that they make."""
        net = RepeatedStage(SIDES_PX[0] ** 2)
        begin_strong(net.features, math.exp(self.sharp_px), math.exp(self.blurred_px))
        own = {"log_threshold": self.threshold, "log_fall": self.fall, "log_rise": self.rise}
        own |= {"log_beta_k": self.beta_k, "log_beta_x": self.beta_x, "least_share": self.least_share}
        with torch.no_grad():
            for name, value in own.items():
                getattr(net, name).fill_(value)
        return net.eval()


STEPS = Numbers(0.2, 0.2, 0.15, 0.1, 0.2, 1.2, 0.4, 0.015)
Item = tuple[Tensor, Tensor]


def drawn(photographs: list[Tensor], count: int, noise: list[float], seed: int) -> list[Item]:
    """For each size and noise blurred crops (count, 1, 230, 230) and their kernels."""
    found = []
    for side in SIDES_PX:
        for sigma in noise:
            crops = Blurred(photographs, side, CROP_PX, (sigma, sigma))
            found.append(crops.draw(count, torch.Generator().manual_seed(seed)))
    return found


def apart(found: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """How far down and to the right (B,), px, kernels lie from others by the peak of their cross-correlation."""
    first, second = (torch.fft.fftshift(torch.fft.fft2(psf[:, 0], s=(GRID, GRID)), dim=(1, 2)) for psf in (found, true))
    finer, room = GRID * FINER, GRID * (FINER - 1) // 2
    spectrum = torch.fft.ifftshift(pad(first * second.conj(), (room, room, room, room)), dim=(1, 2))
    best = torch.fft.ifft2(spectrum).real.flatten(1).argmax(1)
    return best // finer / FINER, best % finer / FINER


def log_error_ratio(found: Tensor, true: Tensor, sigma: float = SIGMA) -> Tensor:
    """Logarithms (B,) of the Wiener filter's error with kernels (B, 1, k, k) over that with the true ones."""
    rows, cols = torch.fft.fftfreq(GRID)[:, None], torch.fft.rfftfreq(GRID)
    power = 1 / (rows**2 + cols**2).clamp_min(GRID**-2)
    share = torch.full_like(power, 2.0)
    share[:, [0, -1]] = 1
    noise = sigma**2 / (power / (power * share).sum() * (STD * GRID) ** 2)
    ours, exact = (torch.fft.rfft2(psf[:, 0], s=(GRID, GRID)) for psf in (found, true))
    down, right = (shift[:, None, None] for shift in apart(found, true))
    ours = ours * torch.exp(2j * math.pi * (rows * down + cols * right))

    def error(otf: Tensor) -> Tensor:
        wiener = otf.conj() / (otf.abs().square() + noise)
        return ((((wiener * exact - 1).abs().square() + wiener.abs().square() * noise) * power) * share).sum((1, 2))

    return (error(ours) / error(exact)).log()


def score(numbers: Numbers, items: list[Item], sigma: float = SIGMA) -> float:
    """Mean of the logarithms of error ratios over all images."""
    torch.set_num_threads(1)
    net = numbers.network()
    with torch.inference_mode():
        each = [log_error_ratio(net.of_side(psf.shape[-1] + MARGIN_PX).kernel(y), psf, sigma) for y, psf in items]
    mean = float(torch.cat(each).mean())
    return mean if math.isfinite(mean) else math.inf


def searched(begin: Numbers, items: list[Item], sweeps: int, jobs: int, sigma: float = SIGMA) -> tuple[Numbers, float]:
    """The numbers after so many looks at each of them."""
    steps, names = asdict(STEPS), list(asdict(STEPS))
    with Pool(jobs) as pool:
        best, now = begin, score(begin, items, sigma)
        bar = tqdm(range(sweeps * len(names)), desc=f"score {now:.3f}", mininterval=10)
        for number in bar:
            name = names[number % len(names)]
            moved = [replace(best, **{name: getattr(best, name) + sign * steps[name]}) for sign in (1, -1)]
            scores = pool.map(partial(score, items=items, sigma=sigma), moved)
            least = min(scores)
            if least < now:
                best, now = moved[scores.index(least)], least
                bar.set_description(f"score {now:.3f}")
            else:
                steps[name] *= SMALLER
    return best, now


def main() -> None:
    """Search, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="a .safetensors file")
    parser.add_argument("--photographs", type=Path, nargs="+", required=True, help="folders of sharp photographs")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0015, 0.01], help="standard deviations")
    parser.add_argument("--sigma", type=float, default=SIGMA, help="noise of the images that are restored in the score")
    parser.add_argument("--count", type=int, default=16, help="crops of each size and noise")
    parser.add_argument("--sweeps", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    items = drawn(read(args.photographs, CROP_PX + SIDES_PX[-1]), args.count, args.noise, seed=7)
    numbers, reached = searched(Numbers(), items, args.sweeps, args.jobs, args.sigma)
    facts = {"numbers": json.dumps(asdict(numbers)), "score": f"{reached:.4f}"}
    facts |= {"noise": str(args.noise), "sigma": str(args.sigma)}
    save_nets({"kernel": numbers.network()}, args.output, facts)
    print(args.output, json.dumps(facts))


if __name__ == "__main__":
    main()
