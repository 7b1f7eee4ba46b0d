"""ISNR spread over the noise and over the true strength, as tables of REPORT.md."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from blurlab.report.labels import PROPAGATION, label, sort_key, split_name
from blurlab.report.panels import by_strength
from blurlab.report.record import differ_in_sigma_only, page_of
from blurlab.report.rows import conditions, variant
from blurlab.report.text import MISSING, figure, interval, link, md, md_table

Record = Mapping[str, Any]
NEAR = 0.08
"""Means of a bin over different images differ by less, as a share."""
_KERNELS = ("isnr_oracle", "isnr_estimated", "isnr_one_longer", "isnr_one_shorter")


def noise_tables(records: Sequence[Record]) -> list[str]:
    """ISNR by kernel and the accuracy against the noise, for every set of records that differ in its sigma only.

    Args:
        records: Records of one experiment.

    Returns:
        Blocks of Markdown: a heading and a table a set; none where no two records differ in the sigma only.
    """
    rest, parts = list(records), []
    while rest:
        first = rest.pop(0)
        series = [first, *(other for other in rest if differ_in_sigma_only(first, other))]
        rest = [other for other in rest if not any(other is member for member in series)]
        if len(series) > 1:
            parts += _noise_table(sorted(series, key=lambda record: float(record["noise"]["sigma"])))
    return parts


def side_by_side(members: Sequence[tuple[str, Record]]) -> str:
    """The headline figures of every record of an experiment, a record a line, its variant a link to its page.

    Records that differ in the deconvolver stand in the order of their PSNR, or of their ISNR with the estimated kernel.

    Args:
        members: Records with their files.
    """
    records = [record for _, record in members]
    if all("restore_s" in record["metrics"] for record in records):
        members = sorted(members, key=lambda member: _rank(member[1]))
    every = {name for record in records for name in record["metrics"]}
    names = sorted((name for name in every if label(name).headline and not split_name(name)[1]), key=sort_key)
    lines = []
    for file, record in members:
        held = conditions(record)
        start = [link(md(variant(record)), page_of(file)), md(held["data set"]), md(held["budget"])]
        lines.append([*start, *(_cell(record, name) for name in names)])
    units = [f" ({label(name).unit})" if label(name).unit else "" for name in names]
    heads = [md(label(name).text + unit) for name, unit in zip(names, units, strict=True)]
    return md_table(["variant", "data set", "budget", *heads], lines)


def _rank(record: Record) -> float:
    metrics = record["metrics"]
    entry = metrics.get("psnr") or metrics.get("isnr_estimated") or {"value": None}
    return math.inf if entry["value"] is None else -float(entry["value"])


def _noise_table(series: Sequence[Record]) -> list[str]:
    first = series[0]
    accuracy = next((name for name in first["metrics"] if split_name(name)[0].endswith("accuracy")), "")
    kernels = [f"ISNR, {PROPAGATION[name]} (dB)" for name in _KERNELS]
    lines = [
        [f"{record['noise']['sigma']:g}", *(_cell(record, name) for name in (*_KERNELS, accuracy))] for record in series
    ]
    head = ["noise sigma", *kernels, md(label(accuracy).text if accuracy else "accuracy")]
    title = f"### Against noise: {first['dataset']['name']}, budget {first['budget']}"
    return [md(title), md_table(head, lines)]


def _cell(record: Record, name: str) -> str:
    entry, digits = record["metrics"].get(name), label(name).digits
    return f"{figure(entry['value'], digits)} {interval(entry, digits)}".rstrip() if entry else MISSING


def strength_table(record: Record) -> list[str]:
    """Mean ISNR by true strength and kernel used, where the record has more than one strength.

    Returns:
        A block of Markdown, or none.
    """
    found = by_strength(record)
    if len(found["lines"]) < 2:
        return []
    lines = [
        [md(line["kind"]), f"{line['px']:g}", *(cell["text"] for cell in line["cells"]), str(line["n"])]
        for line in found["lines"]
    ]
    head = ["true blur", "about (px)", *(f"ISNR, {kernel} (dB)" for kernel in found["kernels"]), "n"]
    words = "Mean ISNR by true strength and kernel used, of the images that have such a kernel:"
    return [words, md_table(head, lines)]


def accuracy_table(record: Record) -> list[str]:
    """Accuracy by true strength, a kind a block, with its limit where the record has one.

    Returns:
        A block of Markdown, or none.
    """
    curves: Mapping[str, Any] = record.get("curves", {})
    lines = []
    for name, curve in curves.items():
        base, kind = split_name(name)
        if not base.endswith("accuracy") or base.startswith("limit_"):
            continue
        limits = curves.get(f"limit_{name}", {}).get("points", [])
        for point in curve["points"]:
            shown = f"{figure(point['value'], 3)} {interval(point, 3)}".rstrip()
            lines.append([md(kind), figure(point["x"], 2), shown, f"{point['n']:d}", _nearest(point["x"], limits)])
    if len(lines) < 2:
        return []
    head = ["kind", "strength (px), mean of the bin", "accuracy", "n", "limit"]
    return ["Accuracy by true strength:", md_table(head, lines)]


def _nearest(x: float, limits: Sequence[Mapping[str, Any]]) -> str:
    """The limit of the bin with this mean, which may be of fewer images: the nearest one, if it is near."""
    best = min(limits, key=lambda point: abs(point["x"] - x), default=None)
    return MISSING if best is None or abs(best["x"] - x) > NEAR * x else figure(best["value"], 4)
