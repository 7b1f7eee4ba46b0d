"""At which temperature do the probabilities of `blurlab deblur` hold, where the surest of several sizes is asked?

    python experiments/schuler2016/temperature.py FOLDER    # holds bsds500/; writes results/temperature.json

A run fits the temperature on answers from one size; the surest of several is right less often than it says. Middles of
BSDS500's validation photographs, 256 px, through `noise=camera`, each with two blurs of `blur=camera_kinds`, three of
five with one of `blur=odd_shake`. Of each temperature: share answered (probability .6 or more), of these the share that
is right, the expected calibration error, and the answers that are wrong and surer than .9.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from blurlab.blur import Mixture, OddShake
from blurlab.core.atomic import write_text
from blurlab.dataset import Bsds500, Degrade
from blurlab.head import Pyramid
from blurlab.metric.calibration import calibration_error
from blurlab.pipeline import Photograph
from blurlab.pipeline.regression import SCALE
from blurlab.run.command.member import member
from blurlab.run.setup.build import build

RESULT = Path(__file__).parent / "results" / "temperature.json"
TEMPERATURES = (1.0, 1.15, 1.3, 1.5, 1.7, 2.0)
SIDE, ANSWERED, SURE = 256, 0.6, 0.9
Answer = tuple[float, bool]


class Remembered(nn.Module):
    """A network that is asked about an image once, however often its answer is wanted."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.said = net, dict[tuple[object, ...], Tensor]()

    def forward(self, y: Tensor) -> Tensor:
        """The network's answer."""
        key = (*y.shape, float(y.double().sum()))
        if key not in self.said:
            self.said[key] = self.net(y)
        return self.said[key]


def answers(tool: Photograph, degrade: Degrade, photos: list[Tensor], seed: int) -> dict[float, list[Answer]]:
    """At each temperature of each photograph how probable the named kind is, and whether it is right."""
    assert tool.own is not None
    (name,) = (one for one in tool.own if one != SCALE)
    found: dict[float, list[Answer]] = {temperature: [] for temperature in TEMPERATURES}
    generator, net = torch.Generator().manual_seed(seed), tool.own[name]
    for sharp in tqdm(photos):
        tool.own[name] = Remembered(net)
        done = degrade(sharp, generator=generator)
        for temperature, line in found.items():
            tool.own[SCALE].temperature.fill_(temperature)  # type: ignore[operator, union-attr]
            label = tool.identify(done.y, {}, {}).label
            assert label is not None
            line.append((float(label.probability.amax()), int(label.kind) == int(done.kind)))
    tool.own[name] = net
    return found


def figures(line: list[Answer]) -> dict[str, Any]:
    """What is counted of answers."""
    given = [one for one in line if one[0] >= ANSWERED]
    sure, right = torch.tensor([one[0] for one in given]), torch.tensor([one[1] for one in given])
    return {
        "items": len(line),
        "answered": round(len(given) / len(line), 3),
        "right": round(float(right.float().mean()), 3),
        "calibration_error": round(float(calibration_error(sure, right)), 4),
        "wrong_and_sure": int((~right & (sure > SURE)).sum()),
    }


def main() -> None:
    """Ask about every photograph, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", default="photograph")
    args = parser.parse_args()
    family, noise = build(member("blur", "camera_kinds", [])), build(member("noise", "camera", []))
    tool = Photograph(family, head=partial(Pyramid), weights=args.weights)
    others = {kind: family.member(kind) for kind in family.kinds if kind != "shake"}
    odd = Mixture(others | {"shake": OddShake(1, [20, 72])}, weights=[0] * len(others) + [1])
    source = Bsds500(args.folder, parts=["val"])
    photos = [torch.from_numpy(source.load(photo)).permute(2, 0, 1)[None] for photo in source.photos()]
    record: dict[str, Any] = {}
    for name, blurs, count, draws in (("camera_kinds", family, len(photos), 2), ("odd_shake", odd, 60, 1)):
        degrade = Degrade(blurs, noise, "valid")
        side = SIDE + 2 * degrade.margin
        places = [[max(0, (length - side) // 2) for length in one.shape[-2:]] for one in photos[:count]]
        cut = [one[..., top : top + side, left : left + side] for one, (top, left) in zip(photos, places, strict=False)]
        with torch.inference_mode():
            found = answers(tool, degrade, cut * draws, seed=0)
        record[name] = {f"{temperature:g}": figures(line) for temperature, line in found.items()}
    facts = {"dataset": "bsds500 val", "side_px": SIDE, "weights": args.weights, "device": "cpu"}
    write_text(RESULT, json.dumps(record | facts | {"torch": torch.__version__}, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
