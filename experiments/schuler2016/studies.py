"""The paper's studies of its network, made small: architecture (figs. 3 to 5), content (table 2), noise (fig. 14).

    python experiments/schuler2016/studies.py architecture|content|noise FOLDER    # writes results/<study>.json

FOLDER holds imagenet_samples, bsds500 and fundus. ``--work`` keeps every network; say the same command again after a
stop. Whatever is compared is trained for as many steps of as many crops, drawn by the same numbers.

- *architecture*: one scale of 9 px from the start, one thing varied at a time.
- *content*: ``quotient17`` trained further on photographs (agnostic) or on what it is then tested on: eye fundus (drawn
  and DRIVE's, tested on CHASE_DB1's) and drawn pages of text (tested on pages of other seeds).
- *noise*: the numbers of ``pipeline=quotient`` fitted (``fit_stage.py``, ``--sweeps``) at a noise of 1 % or of 5 %,
  tested at 5 %; the images restored in the score of the fit have its noise.

Tests: middles, 256 px wide, of ``--count`` images, each blurred by one kernel of 17 px (9 px for architecture) of
``blur=gp_trajectory`` and noise of 1 % (5 % for noise); relative squared error and correlation of the kernels up to
shift, and the PSNR of TV's restoration with it, up to shift. Gains are of the same images, with the 95 % interval of
their mean.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fit_stage import CROP_PX, SIDES_PX, Numbers, drawn, searched
from size_study import blurred, error, summary
from torch import Tensor
from train_quotient import Blurred, part, read

from blurlab.blur import GPTrajectory
from blurlab.core.atomic import write_text
from blurlab.dataset import Bsds500, ChaseDb1, Drive, FundusSynthetic, TextPages
from blurlab.dataset.source import Source
from blurlab.deconvolver import TV
from blurlab.head import LearningToDeblur, RepeatedStage
from blurlab.metric import align, kernel_correlation, psnr
from blurlab.pipeline.shipped import load_nets

RESULTS = Path(__file__).parent / "results"
WIDTH_PX = 256
START, SIDES = "quotient17", (9, 17)
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "as the paper": {},
    "one stage": {"pairs": [4]},
    "two stages": {"pairs": [2, 4]},
    "12 filters": {"filters": 12},
    "16 filters": {"filters": 16},
    "12 hidden images": {"hidden": 12},
    "16 hidden images": {"hidden": 16},
    "one pair of gradient images": {"pairs": [1, 1, 1]},
    "four pairs of gradient images": {"pairs": [4, 4, 4]},
}
"""What differs from the head's defaults, which are the paper's."""


def grey(source: Source, least_px: int, count: int | None = None) -> list[Tensor]:
    """The first images (H, W) of a source with sides of at least so many pixels."""
    found: list[Tensor] = []
    for photo in source.photos():
        image = torch.from_numpy(np.asarray(source.load(photo))).mean(-1)
        if min(image.shape) >= least_px:
            found.append(image)
        if count is not None and len(found) == count:
            break
    return found


def middle(image: Tensor, side: int) -> Tensor:
    """The square in the middle of an image (H, W)."""
    top, left = ((length - side) // 2 for length in image.shape)
    return image[top : top + side, left : left + side]


def tested(net: LearningToDeblur | RepeatedStage, images: Sequence[Tensor], sigma: float) -> dict[str, list[float]]:
    """Figures of each image's kernel and restoration."""
    side, deconvolver = net.side, TV()
    family = GPTrajectory((0.55 * side, side), size=side)
    kind, params = family.draw(len(images), generator=torch.Generator().manual_seed(0))
    psfs = family.psf(params, kind).float()
    found: dict[str, list[float]] = {"relative_error": [], "kernel_correlation": [], "psnr": []}
    for number, (image, psf) in enumerate(zip(images, psfs[:, None], strict=True)):
        y = blurred(middle(image, WIDTH_PX + side - 1), psf, number, sigma)
        x = middle(image, WIDTH_PX)[None, None]
        with torch.inference_mode():
            kernel = net.eval().kernel(y)
            restored = align(deconvolver(y, kernel, sigma).image, x)
        found["relative_error"].append(error(kernel, psf))
        found["kernel_correlation"].append(float(kernel_correlation(kernel, psf)))
        found["psnr"].append(float(psnr(restored.x_hat, restored.x)))
    return found


def trained(
    path: Path, fresh: Callable[[], LearningToDeblur], images: list[Tensor], args: argparse.Namespace, **noise: Any
) -> LearningToDeblur:
    """A network trained on these images, or that of an earlier call, which goes on where it stopped."""
    torch.manual_seed(0)
    net = fresh()
    kept = torch.load(path, weights_only=True) if path.exists() else None
    if kept is not None:
        net.load_state_dict(kept["net"])
    crop = args.crop or max(64, 4 * net.side)
    drawn = Blurred([one for number, one in enumerate(images) if number % 10], net.side, crop, **noise)
    held_out = Blurred(images[::10], net.side, crop, **noise)
    part(net, drawn, held_out, path, steps=args.steps, batch=args.batch, state=kept)
    return net


def begun() -> LearningToDeblur:
    """The package's network of 17 px."""
    net = LearningToDeblur(SIDES[-1] ** 2, sides_px=SIDES)
    net.load_state_dict(load_nets(START)["kernel"])
    return net


def least_px(args: argparse.Namespace) -> int:
    """Shorter side of the smallest photograph that crops are cut out of."""
    return (args.crop or 4 * SIDES[-1]) + SIDES[-1]


def photographs(args: argparse.Namespace) -> list[Tensor]:
    """What networks of no particular content are trained on."""
    root = args.folder
    folders = [root / "imagenet_samples", root / "bsds500" / "train", root / "bsds500" / "val"]
    return read([folder for folder in folders if folder.is_dir()], least_px(args))


def architecture(args: argparse.Namespace) -> dict[str, Any]:
    """Kernel error of each architecture."""
    images, test = photographs(args), grey(Bsds500(args.folder, parts=["test"]), WIDTH_PX + 16, args.count)
    lines = {}
    for name, options in ARCHITECTURES.items():
        path = args.work / f"architecture_{name.replace(' ', '_')}.pt"
        net = trained(path, lambda options=options: LearningToDeblur(81, sides_px=[9], **options), images, args)  # type: ignore[misc]
        figures = tested(net, test, 0.01)
        weights = sum(one.numel() for one in net.parameters())
        lines[name] = {"weights": weights, **{key: summary(values) for key, values in figures.items()}}
        print(name, json.dumps(lines[name]), flush=True)
    return {"lines": lines, "dataset": "bsds500 test", "sigma": 0.01, "kernel_px": 9}


def compared(nets: Mapping[str, LearningToDeblur | RepeatedStage], test: list[Tensor], sigma: float) -> dict[str, Any]:
    """Figures of two networks on the same images, and what the second gains."""
    figures = {name: tested(net, test, sigma) for name, net in nets.items()}
    first, second = figures.values()
    gain = {f"{key}_gain": summary([b - a for a, b in zip(first[key], second[key], strict=True)]) for key in first}
    means = {name: {key: summary(values) for key, values in own.items()} for name, own in figures.items()}
    return {**means, **gain, "images": len(test)}


def content(args: argparse.Namespace) -> dict[str, Any]:
    """What training on the content that is tested gains over training on any photographs."""
    agnostic = trained(args.work / "agnostic.pt", begun, photographs(args), args)
    least = least_px(args)
    fundus = grey(FundusSynthetic(n=60, seed=11, size=560), least) + grey(Drive(args.folder / "fundus"), least)
    sets = {
        "fundus": (fundus, grey(ChaseDb1(args.folder / "fundus"), WIDTH_PX + 16, args.count)),
        "text": (
            grey(TextPages(n=200, seed=1000, size=400), least),
            grey(TextPages(n=args.count, seed=0, size=400), WIDTH_PX + 16),
        ),
    }
    lines = {}
    for name, (train, test) in sets.items():
        specific = trained(args.work / f"{name}.pt", begun, train, args)
        lines[name] = compared({"agnostic": agnostic, "specific": specific}, test, 0.01)
        print(name, json.dumps(lines[name]), flush=True)
    return {"lines": lines, "datasets": {"fundus": "chase_db1", "text": "text_pages"}, "sigma": 0.01, "kernel_px": 17}


def noise(args: argparse.Namespace) -> dict[str, Any]:
    """What a network fitted at 5 % noise gains there over one fitted at 1 %; supports as wide as the kernels."""
    test = grey(Bsds500(args.folder, parts=["test"]), WIDTH_PX + 16, args.count)
    images = read([args.folder / "bsds500" / part for part in ("train", "val")], CROP_PX + SIDES_PX[-1])
    nets: dict[str, LearningToDeblur | RepeatedStage] = {}
    numbers: dict[str, dict[str, float]] = {}
    for level in (0.01, 0.05):
        name = f"fitted at {level:g}"
        found, reached = searched(Numbers(), drawn(images, 16, [level], seed=7), args.sweeps, 2, level)
        nets[name], numbers[name] = found.network().of_side(17), {**asdict(found), "score": reached}
        print(name, json.dumps(numbers[name]), flush=True)
    line = compared(nets, test, 0.05)
    print(json.dumps(line), flush=True)
    about = {"numbers": numbers, "sweeps": args.sweeps, "start": "fit_stage.Numbers()"}
    return {"lines": {"0.05": line}, "dataset": "bsds500 test", "sigma": 0.05, "kernel_px": 17, **about}


STUDIES = {study.__name__: study for study in (architecture, content, noise)}


def main() -> None:
    """Run one study, write its record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=1000, help="of each network")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument(
        "--crop", type=int, help="side of the crops that are trained on, px; default: four kernels, at least 64"
    )
    parser.add_argument("--count", type=int, default=28, help="images that are tested on")
    parser.add_argument("--sweeps", type=int, default=3, help="of the search of noise")
    parser.add_argument("--work", type=Path, default=Path("runs/studies"), help="folder of the networks")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    training = {"steps": args.steps, "batch": args.batch, "crop_px": args.crop}
    training["start"] = None if args.study == "architecture" else START
    record = (
        STUDIES[args.study](args)
        | ({} if args.study == "noise" else training)
        | {
            "width_px": WIDTH_PX,
            "deconvolver": "tv",
            "device": "cpu",
            "torch": torch.__version__,
        }
    )
    RESULTS.mkdir(exist_ok=True)
    write_text(RESULTS / f"{args.study}.json", json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
