"""When the paper's network begins to learn the type of blur: learning rate, scaling of the images, initialisation.

    python experiments/williams2017/learning.py            # writes results/learning.json and results/learning.md
    python experiments/williams2017/learning.py --small    # minutes, not hours: results/learning_small.*

The network, the photographs and their degradations are those of ``budget=paper128``: 720 drawn fundus photographs of
128x128 pixels seen whole, each sharp, out of focus and moved once, the same in every epoch; SGD with momentum 0.9,
batches of 8. A training has begun to learn where the mean of its last 100 training losses (dropout included) is below
ln 3 - 0.1: ln 3 is the loss of an answer that knows nothing. It ends there, or after ``--steps`` steps. What the record
holds is not measured again. ``--small`` does the same on images of 64x64 pixels of fewer photographs, in fewer steps.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from blurlab.blur import Defocus, Mixture, Motion, NoBlur
from blurlab.core.atomic import write_text
from blurlab.core.rng import generator, seed_from
from blurlab.dataset import (
    BalancedItems,
    Degrade,
    FundusSynthetic,
    SharpImages,
    degrade_batch,
    make_split,
    prepare_all,
)
from blurlab.head import LeNet
from blurlab.head.lenet import standardised
from blurlab.noise import Sensor

PHOTOS = 1200
BATCH = 8
SPAN = 100
BEGUN = math.log(3) - 0.1
RESULTS = Path(__file__).parent / "results"
WHOLE = {"steps": 1000, "side": 128, "photos": PHOTOS, "output": RESULTS / "learning.json"}
SMALL = {"steps": 400, "side": 64, "photos": 120, "output": RESULTS / "learning_small.json"}
FAMILY = Mixture({"none": NoBlur(), "defocus": Defocus([0.5, 5]), "motion": Motion([1, 10], 0)})
SCALINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "[0, 1] as it is": lambda y: y,
    "[0, 255]": lambda y: 255 * y,
    "mean removed": lambda y: y - y.mean((1, 2, 3), keepdim=True),
    "standardised": standardised,
}
INITIALISATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "Glorot": nn.init.xavier_uniform_,
    "He": lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="relu"),
}


@dataclass(frozen=True)
class Variant:
    """One training: what is changed of the paper's."""

    scaling: str
    initialisation: str
    learning_rate: float


VARIANTS = (
    Variant("standardised", "Glorot", 0.001),
    Variant("[0, 1] as it is", "Glorot", 0.001),
    Variant("standardised", "He", 0.001),
    Variant("[0, 1] as it is", "Glorot", 0.01),
    Variant("mean removed", "Glorot", 0.001),
    Variant("[0, 255]", "Glorot", 0.001),
    Variant("[0, 1] as it is", "Glorot", 0.003),
    Variant("[0, 1] as it is", "He", 0.001),
    Variant("[0, 1] as it is", "Glorot", 0.03),
)


def training_items(photos: int, side_px: int, cache: Path) -> tuple[Tensor, Tensor]:
    """Degraded images (n, 1, side, side) of the training photographs and their kinds (n,)."""
    source, degrade = FundusSynthetic(photos), Degrade(FAMILY, Sensor(0.004, 8))
    ready = prepare_all(source, make_split(source).train, side_px + 2 * degrade.margin, "green", cache)
    sharp = SharpImages(ready.arrays, ready.ids)
    items = BalancedItems(sharp, 1, FAMILY, lambda kind, _: kind, len(FAMILY.kinds), seed=0, split="train/type")
    seen, kinds = [], []
    for index in range(len(items)):
        image, seed, place = items[index]
        done = degrade_batch(degrade, [image[None], torch.tensor([seed]), torch.tensor([place])], training=False)
        seen.append(done.y)
        kinds.append(done.kind)
    return torch.cat(seen), torch.cat(kinds)


def network(initialisation: str, side_px: int) -> LeNet:
    """The paper's network with fresh weights, biases 0."""
    torch.manual_seed(seed_from(0, "learning"))
    net = LeNet(len(FAMILY.kinds), input_size=side_px)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            INITIALISATIONS[initialisation](module.weight)
    return net


def train(variant: Variant, y: Tensor, kind: Tensor, steps: int, *, half: bool) -> dict[str, Any]:
    """Train until learning begins, or for ``steps`` steps.

    Returns:
        The step at which it began (None if it did not), the mean training loss of each 100 steps, seconds.
    """
    net, scale = network(variant.initialisation, y.shape[-1]), SCALINGS[variant.scaling]
    optimizer = torch.optim.SGD(net.parameters(), lr=variant.learning_rate, momentum=0.9, fused=True)
    losses: list[float] = []
    start = time.perf_counter()
    for place in islice(batches(len(y)), steps):
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            output = net(scale(y[place]))
        loss = nn.functional.cross_entropy(output.float(), kind[place])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's
        optimizer.step()
        losses.append(float(loss.detach()))
        if begun(losses) or not math.isfinite(losses[-1]):
            break
    means = [round(sum(part) / len(part), 4) for part in spans(losses)]
    return {
        **asdict(variant),
        "begun_at_step": len(losses) if begun(losses) else None,
        "steps": len(losses),
        "loss_each_100_steps": means,
        "seconds": round(time.perf_counter() - start),
    }


def batches(count: int) -> Iterator[Tensor]:
    """Places of the images of one batch after another, all of them once an epoch in a new order, without end."""
    for epoch in itertools.count():
        yield from torch.randperm(count, generator=generator(0, "learning", epoch)).split(BATCH)


def begun(losses: list[float]) -> bool:
    """Is the mean of the last 100 losses below that of an answer that knows nothing?"""
    return len(losses) >= SPAN and sum(losses[-SPAN:]) / SPAN < BEGUN


def spans(losses: list[float]) -> list[list[float]]:
    """The losses in spans of 100 steps, the last perhaps shorter."""
    return [losses[first : first + SPAN] for first in range(0, len(losses), SPAN)]


def table(record: dict[str, Any]) -> str:
    """The record as a table of Markdown."""
    words = " --small" if record["side_px"] == SMALL["side"] else ""
    lines = [
        f"When LeNet begins to learn the type of blur (`python experiments/williams2017/learning.py{words}`):",
        f"mean of {SPAN} training losses below {BEGUN:.3f} (ln 3 - 0.1), SGD with momentum 0.9, batches of {BATCH}, "
        f"{record['items']} images of {record['side_px']}x{record['side_px']} pixels, {record['precision']}.",
        "",
        "| images | initialisation | learning rate | begins at step | loss of the last 100 steps |",
        "|---|---|---|---|---|",
    ]
    for row in record["trainings"]:
        began = row["begun_at_step"] or f"not in {row['steps']}"
        lines.append(
            f"| {row['scaling']} | {row['initialisation']} | {row['learning_rate']:g} | {began} "
            f"| {row['loss_each_100_steps'][-1]:.3f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Make every training that the record lacks, and the record after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help=f"{SMALL['side']} px, fewer photographs and steps")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--side", type=int)
    parser.add_argument("--photos", type=int)
    parser.add_argument("--first", type=int, default=len(VARIANTS), help="make only so many of the trainings")
    parser.add_argument("--half", action="store_true", help="bfloat16 within the network")
    parser.add_argument("--cache", type=Path, default=None, help="folder of prepared photographs")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    for name, value in (SMALL if args.small else WHOLE).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    y, kind = training_items(args.photos, args.side, args.cache)
    record: dict[str, Any] = {
        "side_px": args.side, "items": len(y), "precision": "bfloat16" if args.half else "float32", "trainings": []
    }  # fmt: skip
    if args.output.is_file():
        record = json.loads(args.output.read_text())
    done = {(row["scaling"], row["initialisation"], row["learning_rate"]) for row in record["trainings"]}
    for variant in VARIANTS[: args.first]:
        if (variant.scaling, variant.initialisation, variant.learning_rate) in done:
            continue
        record["trainings"].append(train(variant, y, kind, args.steps, half=args.half))
        print(record["trainings"][-1], flush=True)
        write_text(args.output, json.dumps(record, indent=1) + "\n")
        write_text(args.output.with_suffix(".md"), table(record))


if __name__ == "__main__":
    main()
