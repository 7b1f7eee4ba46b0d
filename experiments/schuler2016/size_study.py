"""Does the network's kernel get better the more of an image it sees, as in figs. 18 and 19 of "Learning to Deblur"?

    python experiments/schuler2016/size_study.py FOLDER    # of BSDS500; writes results/size_study.json

Middles of the test photographs, 64 to 256 px wide, each blurred by one kernel of ``blur=gp_trajectory`` of the weights'
side, white noise of 1 %. Of each width: the mean of the kernels' relative squared errors ``|h - g|^2 / |h|^2`` up to
shift with its 95 % interval over photographs, the mean correlation, and the error of the mean kernel, which looks at
nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import conv2d
from tqdm import tqdm

from blurlab.blur import GPTrajectory
from blurlab.blur.shape import recentred
from blurlab.core.atomic import write_text
from blurlab.dataset import Bsds500
from blurlab.head import LearningToDeblur
from blurlab.metric import kernel_correlation
from blurlab.pipeline.shipped import load_nets

RESULT = Path(__file__).parent / "results" / "size_study.json"
WIDTHS_PX = (64, 96, 128, 160, 192, 224, 256)
SIGMA = 0.01


def blurred(sharp: Tensor, psf: Tensor, number: int, sigma: float = SIGMA) -> Tensor:
    """A photograph (H, W), blurred without its border and made noisy, (1, 1, h, w)."""
    y = conv2d(sharp[None, None], psf.flip(2, 3))
    return y + sigma * torch.randn(y.shape, generator=torch.Generator().manual_seed(number))


def error(found: Tensor, true: Tensor) -> float:
    """Relative squared error of a kernel, both with their centre of mass in the middle."""
    found, true = recentred(found), recentred(true)
    return float((found - true).square().sum() / true.square().sum())


def summary(values: list[float]) -> dict[str, float]:
    """Mean and half of its 95 % interval."""
    every = torch.tensor(values)
    return {"mean": round(float(every.mean()), 4), "half": round(1.96 * float(every.std()) / len(values) ** 0.5, 4)}


def main() -> None:
    """Estimate every kernel from every width, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds bsds500/")
    parser.add_argument("--weights", default="quotient17", help="of the package, or a file")
    parser.add_argument("--sides", type=int, nargs="+", default=[9, 17], help="scales of the network that they are of")
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    side = args.sides[-1]
    net = LearningToDeblur(side**2, sides_px=args.sides).eval()
    net.load_state_dict(load_nets(args.weights)["kernel"])
    source, family = Bsds500(args.folder, parts=["test"]), GPTrajectory(side)
    photos = source.photos()
    kind, params = family.draw(len(photos), generator=torch.Generator().manual_seed(0))
    psfs = family.psf(params, kind).float()
    mean = psfs.mean(0, keepdim=True)
    errors: dict[str, list[float]] = {str(width): [] for width in WIDTHS_PX}
    alike: dict[str, list[float]] = {str(width): [] for width in WIDTHS_PX}
    nothing = []
    for number, photo in enumerate(tqdm(photos)):
        sharp = torch.from_numpy(source.load(photo)).mean(-1)
        psf = psfs[number : number + 1]
        y = blurred(sharp, psf, number)
        nothing.append(error(mean, psf))
        for width in WIDTHS_PX:
            top, left = ((length - width) // 2 for length in y.shape[-2:])
            with torch.inference_mode():
                found = net.kernel(y[..., top : top + width, left : left + width])
            errors[str(width)].append(error(found, psf))
            alike[str(width)].append(float(kernel_correlation(found, psf)))
    by_width = {
        name: {"relative_error": summary(errors[name]), "kernel_correlation": summary(alike[name])} for name in errors
    }
    record = {
        "width_px": by_width,
        "mean_kernel": {"relative_error": summary(nothing)},
        "dataset": "bsds500 test",
        "photographs": len(photos),
        "kernel_px": side,
        "sigma": SIGMA,
        "weights": Path(args.weights).stem,
        "device": "cpu",
        "torch": torch.__version__,
    }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_text(args.output, json.dumps(record, indent=1) + "\n")
    for name, line in by_width.items():
        print(name, json.dumps(line))


if __name__ == "__main__":
    main()
