"""What the page's tables and charts show, from the record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from blurlab.report.chart import Series, line_chart, mark
from blurlab.report.labels import GROUPS, LOSSES, PROPAGATION, label, split_name
from blurlab.report.rows import Row
from blurlab.report.text import MISSING, figure, interval

Record = Mapping[str, Any]
_AXES = {
    "strength_px": "strength (px)",
    "sigma": "noise sigma (of full scale 1)",
    "bsnr_db": "BSNR (dB)",
    "length_px": "motion length (px)",
    "diameter_px": "disk diameter (px)",
    "radius_px": "disk radius (px)",
    "angle_deg": "angle (deg)",
}


def groups(every: Sequence[Row]) -> list[dict[str, Any]]:
    """BatchState by heading; rows of one unit under one heading share a scale."""
    groups = []
    for name in GROUPS:
        members = [row for row in every if row.label.group == name]
        scales = {unit: _scale([row for row in members if row.unit == unit]) for unit in {row.unit for row in members}}
        drawn = [(row, _mark(row, scales[row.unit])) for row in members]
        if drawn:
            groups.append({"name": name, "rows": drawn})
    return groups


def _scale(members: Iterable[Row]) -> tuple[float, float] | None:
    entries = [entry for row in members for entry in (row.ours, row.published, row.limit) if entry]
    known = [float(e[key]) for e in entries for key in ("value", "low", "high") if e.get(key) is not None]
    known = [value for value in known if math.isfinite(value)]
    if len(entries) < 2 or not known or min(known) == max(known):
        return None
    pad = 0.04 * (max(known) - min(known))
    return min(known) - pad, max(known) + pad


def _mark(row: Row, scale: tuple[float, float] | None) -> str:
    if scale is None:
        return ""
    theirs, limit = (row.published or {}).get("value"), (row.limit or {}).get("value")
    return mark(*scale, row.ours, theirs, limit)


def confusion(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Counts with the share of their row, for a heat map."""
    lines = []
    for truth, counts in zip(table["labels"], table["matrix"], strict=True):
        total = sum(counts)
        cells = [{"count": count, "share": count / total if total else 0.0} for count in counts]
        lines.append({"label": truth, "cells": cells, "total": total})
    return {"name": name.replace("/", ", "), "labels": table["labels"], "lines": lines}


def curves(record: Record) -> list[dict[str, Any]]:
    """One chart for the curves of one metric over one abscissa; what follows the slash names the curve.

    A curve's limit is its own ``limit``, or the curve ``limit_<name>``; that of ISNR with the estimated kernel is ISNR
    with the true one.
    """
    given: Mapping[str, Any] = record.get("curves", {})
    together: dict[tuple[str, str], list[tuple[str, Mapping[str, Any], Sequence[Any]]]] = {}
    for name, curve in given.items():
        base, suffix = split_name(name)
        if base.startswith("limit_") or (base == "isnr_oracle" and name.replace("oracle", "estimated") in given):
            continue
        other = name.replace("estimated", "oracle") if base == "isnr_estimated" else f"limit_{name}"
        limit = curve.get("limit") or given.get(other, {}).get("points", [])
        together.setdefault((base, curve["x_name"]), []).append((suffix.replace("/", ", "), curve, limit))
    charts = []
    for (base, x_name), members in together.items():
        series = []
        for colour, (name, curve, limit) in enumerate(members):
            words = "true kernel" if base == "isnr_estimated" else "limit"
            series.append(Series(name or label(base).text, curve["points"], colour % 6))
            if limit:
                series.append(Series(f"{name}, {words}".lstrip(", "), limit, colour % 6, limit=True))
        charts.append(_chart(base, x_name, series))
    return [chart for chart in charts if chart["svg"]]


def _chart(base: str, x_name: str, series: Sequence[Series]) -> dict[str, Any]:
    known = label(base)
    fraction = "accuracy" in base or base.startswith("coverage")
    axis = _AXES.get(x_name, x_name.replace("_", " "))
    title = f"{known.text}" + (f" ({known.unit})" if known.unit else "")
    svg = line_chart(series, axis, title, *((0.0, 1.0) if fraction else ()))
    return {"title": title, "axis": axis, "svg": svg, "key": series}


def against_noise(records: Sequence[Record]) -> list[dict[str, Any]]:
    """ISNR of each kernel against the noise, where records differ in it."""
    series = []
    for colour, name in enumerate(PROPAGATION):
        points = [
            {"x": record["noise"]["sigma"], **record["metrics"][name]}
            for record in records
            if name in record["metrics"] and isinstance(record["noise"].get("sigma"), (int, float))
        ]
        if len({point["x"] for point in points}) > 1:
            series.append(Series(PROPAGATION[name], sorted(points, key=lambda p: p["x"]), colour))
    return [_chart("isnr", "sigma", series)] if series else []


def propagation(record: Record) -> list[dict[str, Any]]:
    """Class -> parameters -> kernel -> ISNR, one table a deconvolver.

    The means of two rows may be of different images, so what a kernel costs is no difference of theirs: it is the
    record's own difference over the images that have both kernels.
    """
    tables = []
    suffixes = {split_name(name)[1] for name in record["metrics"] if split_name(name)[0] in PROPAGATION}
    for suffix in sorted(suffixes):
        named = {base: record["metrics"].get(f"{base}/{suffix}" if suffix else base) for base in PROPAGATION}
        entries = {base: entry for base, entry in named.items() if entry and entry["value"] is not None}
        if len(entries) < 2:
            continue
        ends = [float(e[k]) for e in entries.values() for k in ("value", "low", "high") if e.get(k) is not None] + [0.0]
        pad = 0.04 * (max(ends) - min(ends) or 1.0)
        lines = [
            {
                "kernel": PROPAGATION[base], "name": base,
                "value": figure(entry["value"], 2), "interval": interval(entry, 2),
                "n": entry.get("n", ""), "bad": entry["value"] < 0,
                **_against_true(record, base, suffix),
                "svg": mark(min(ends) - pad, max(ends) + pad, entry, limit=0.0),
            }
            for base, entry in entries.items()
        ]  # fmt: skip
        tables.append({"by": suffix, "lines": lines})
    return tables


def _against_true(record: Record, base: str, suffix: str) -> dict[str, str]:
    """The loss the record has for this kernel, negated; a dash where it has none."""
    if base not in LOSSES:
        return {"against": "", "against_interval": ""}
    loss = record["metrics"].get(f"{LOSSES[base]}/{suffix}" if suffix else LOSSES[base])
    if not loss or loss["value"] is None:
        return {"against": MISSING, "against_interval": ""}
    low, high = loss.get("low"), loss.get("high")
    ends = {} if low is None or high is None else {"low": -high, "high": -low}
    words = [interval(ends, 2), f"n {loss['n']}" if loss.get("n") is not None else ""]
    return {"against": figure(-loss["value"], 2), "against_interval": " ".join(filter(None, words))}


def by_strength(record: Record) -> dict[str, Any]:
    """Mean ISNR by true strength and kernel used, where the record has ``error_propagation``."""
    lines = []
    for line in record.get("error_propagation", []):
        values = [line.get(name) for name in PROPAGATION]
        cells = [{"text": figure(v, 2), "bad": v is not None and v < 0} for v in values]
        lines.append({"kind": line["kind"], "px": line["strength_px"], "n": line.get("n", ""), "cells": cells})
    return {"kernels": list(PROPAGATION.values()), "lines": lines}
