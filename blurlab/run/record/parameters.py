"""Errors of the parameters found, each beside its limit: from named items to metrics."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import torch

from blurlab.blur import BlurFamily, Parameter
from blurlab.run.record.bounds import BOUNDS, MEDIAN_OF_SD
from blurlab.run.record.means import proportion
from blurlab.run.record.rows import Item, named

LIMIT = f"median error of an efficient estimate, {MEDIAN_OF_SD:.2f} of the Cramer-Rao bound: {BOUNDS['bound']}"


def parameters(
    items: Sequence[Item], family: BlurFamily
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Median errors of the parameters where the kind was found, the limit of each, and a table of all bounds.

    The limit is the median error of an efficient estimate, 0.67 of the median Cramer-Rao bound.

    A parameter counts where the blur has it (:meth:`BlurFamily.measurable`): a short line hardly has an angle. Where
    two kinds have a parameter of one name, their metrics end in ``/<kind>``.

    Args:
        items: Items with what was named.
        family: Whose parameters they are.
    """
    metrics, limits, table = {}, {}, []
    truth = torch.tensor([[item.truth.value(name) for name in family.names] for item in items], dtype=torch.float64)
    known = family.measurable(truth.reshape(len(items), len(family.names))).tolist()
    endings = endings_of(family)
    for place, (name, one) in enumerate(zip(family.names, family.parameters, strict=True)):
        stem, unit = stem_of(one), one.unit
        some = [item for item, mask in zip(items, known, strict=True) if mask[place] and _was_found(item, name)]
        pairs = [[item.truth.value(name), named(item).value(name)] for item in some]
        true, found = torch.tensor(pairs, dtype=torch.float64).reshape(-1, 2).T
        errors = one.apart(true, found).abs().tolist()
        if errors and float(true.max()) > float(true.min()):
            metric = f"{stem}_median" + (f"_{unit}" if unit else "") + endings[place]
            metrics[metric] = {"value": median(errors), "n": len(errors), "unit": unit}
            halves = [named(item).halfwidth.get(name) for item in some]
            held = [error <= half for error, half in zip(errors, halves, strict=True) if half is not None]
            if held:
                metrics[f"coverage90_{stem}{endings[place]}"] = proportion(sum(held), len(held))
            least = {bound: MEDIAN_OF_SD * value for bound, value in _bounds(some, name).items()}
            if least:
                limits[metric] = {"value": least["bound"], "how": LIMIT}
                table.append({"metric": metric, **metrics[metric], **least, "ratio": median(errors) / least["bound"]})
    return metrics, limits, table


def stem_of(parameter: Parameter) -> str:
    """A parameter's name without its kind and its unit.

    Example:
        >>> stem_of(Parameter("motion.length_px", "px", 1, 10)), stem_of(Parameter("taps", "px", 2, 4))
        ('length', 'taps')
    """
    return parameter.name.rpartition(".")[2].removesuffix(f"_{parameter.unit}")


def endings_of(family: BlurFamily) -> list[str]:
    """What the metric of each parameter ends in: ``/<kind>`` where two kinds have one of its name, else nothing."""
    split = [name.rpartition(".") for name in family.names]
    shared = Counter(name for _, _, name in split)
    return [f"/{kind}" if shared[name] > 1 else "" for kind, _, name in split]


def _was_found(item: Item, name: str) -> bool:
    found = named(item)
    return item.truth.kind == found.kind and math.isfinite(item.truth.value(name)) and math.isfinite(found.value(name))


def _bounds(items: Sequence[Item], name: str) -> dict[str, float]:
    """Median of each of ``BOUNDS`` of one parameter; nothing where no item has one."""
    known = {
        bound: [value for item in items if math.isfinite(value := item.bounds.get(bound, {}).get(name, math.nan))]
        for bound in BOUNDS
    }
    return {bound: median(values) for bound, values in known.items()} if all(known.values()) else {}


def before_refinement(items: Sequence[Item], family: BlurFamily) -> dict[str, Any]:
    """The network's own word, of items that were refined: accuracy of the kind and median errors, with ``/network``."""
    said = [
        replace(item, named=replace(own, kind=own.before.kind, params=own.before.params, halfwidth={}))
        for item in items
        if (own := item.named) is not None and own.before is not None
    ]
    if not said:
        return {}
    kinds = proportion(sum(item.truth.kind == named(item).kind for item in said), len(said))
    measured = parameters(said, family)[0]
    return {f"{name}/network": value for name, value in {"type_accuracy": kinds, **measured}.items()}
