"""Errors of the parameters found, each beside its limit: from the rows of ``per_image.csv`` to metrics."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median
from typing import Any

import torch

from blurlab.blur import BlurFamily, Parameter
from blurlab.run.record.bounds import BOUNDS, MEDIAN_OF_SD
from blurlab.run.record.means import proportion

Row = dict[str, Any]
LIMIT = f"median error of an efficient estimate, {MEDIAN_OF_SD:.2f} of the Cramer-Rao bound: {BOUNDS['bound']}"


def parameters(rows: list[Row], family: BlurFamily) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Median errors of the parameters where the kind was found, the limit of each, and a table of all bounds.

    The limit is the median error of an efficient estimate, 0.67 of the median Cramer-Rao bound.

    A parameter counts where the blur has it (:meth:`BlurFamily.measurable`): a short line hardly has an angle. Where
    two kinds have a parameter of one name, their metrics end in ``/<kind>``.

    Args:
        rows: With columns ``<name>``, ``found_<name>`` and, where restored, ``bound_<name>`` and the like.
        family: Whose parameters they are.
    """
    metrics, limits, table = {}, {}, []
    truth = torch.tensor([[row.get(name, math.nan) for name in family.names] for row in rows], dtype=torch.float64)
    known = family.measurable(truth.reshape(len(rows), len(family.names))).tolist()
    endings = endings_of(family)
    for place, (name, one) in enumerate(zip(family.names, family.parameters, strict=True)):
        stem, unit = stem_of(one), one.unit
        some = [
            row for row, mask in zip(rows, known, strict=True)
            if mask[place] and row["kind"] == row["found_kind"] and _finite(row, name, f"found_{name}")
        ]  # fmt: skip
        pairs = torch.tensor([[row[name], row[f"found_{name}"]] for row in some], dtype=torch.float64).reshape(-1, 2)
        errors = one.apart(*pairs.T).abs().tolist()
        if errors and max(row[name] for row in some) > min(row[name] for row in some):
            metric = f"{stem}_median" + (f"_{unit}" if unit else "") + endings[place]
            metrics[metric] = {"value": median(errors), "n": len(errors), "unit": unit}
            held = [
                error <= row[f"half_{name}"]
                for error, row in zip(errors, some, strict=True)
                if _finite(row, f"half_{name}")
            ]
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


def _finite(row: Row, *names: str) -> bool:
    return all(math.isfinite(row.get(name, math.nan)) for name in names)


def _bounds(rows: list[Row], name: str) -> dict[str, float]:
    """Median of each of ``BOUNDS`` of one parameter; nothing where no row has one."""
    known = {
        bound: [value for row in rows if math.isfinite(value := row.get(f"{bound}_{name}", math.nan))]
        for bound in BOUNDS
    }
    return {bound: median(values) for bound, values in known.items()} if all(known.values()) else {}


def before_refinement(rows: list[Row], family: BlurFamily) -> dict[str, Any]:
    """The network's own word, of items that were refined: accuracy of the kind and median errors, with ``/network``."""
    said = [
        {
            **{key: value for key, value in row.items() if not key.startswith("half_")},  # those of the refined one
            "found_kind": row["network_kind"],
            **{f"found_{name}": row[f"network_{name}"] for name in family.names},
        }
        for row in rows
        if "network_kind" in row
    ]
    if not said:
        return {}
    kinds = proportion(sum(row["kind"] == row["found_kind"] for row in said), len(said))
    measured = parameters(said, family)[0]
    return {f"{name}/network": value for name, value in {"type_accuracy": kinds, **measured}.items()}
