"""One run as one HTML page that needs no other file."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from blurlab.report.chart import Series, line_chart, mark
from blurlab.report.labels import GROUPS, PROPAGATION, label, split_name
from blurlab.report.record import fell_back, validate_record
from blurlab.report.rows import Row, conditions, rows
from blurlab.report.terminal import banner
from blurlab.report.text import brief, figure, interval, write_atomically

Record = Mapping[str, Any]
_MIME = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
_AXES = {"strength_px": "strength (px)", "sigma": "noise sigma, of 1", "bsnr_db": "BSNR (dB)", "length_px": "motion length (px)",
         "diameter_px": "disk diameter (px)", "radius_px": "disk radius (px)", "angle_deg": "angle (deg)"}  # fmt: skip


def write_html(record: Record, run_dir: str | Path, others: Sequence[Record] = ()) -> Path:
    """Write ``<run_dir>/report.html``, under a temporary name first.

    Args:
        record: A valid record.
        run_dir: Folder of the run: the example pictures lie there, and the page goes there.
        others: Records of the same experiment at other noise, for the curve of ISNR against noise.

    Returns:
        Path of the page.

    Raises:
        ValueError: If the record lacks a key.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    validate_record(record)
    loader = FileSystemLoader(Path(__file__).parent)
    templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = templates.get_template("template.html.jinja").render(_context(record, Path(run_dir), others))
    return write_atomically(Path(run_dir) / "report.html", page)


def _context(record: Record, run_dir: Path, others: Sequence[Record]) -> dict[str, Any]:
    every = rows(record)
    return {
        "record": record,
        "warning": banner(record) if fell_back(record) else "",
        "facts": _facts(record),
        "groups": _groups(every),
        "with_heads": any(row.head for row in every),
        "with_published": any(row.published for row in every),
        "confusions": [_confusion(name, table) for name, table in record.get("confusion", {}).items()],
        "charts": [*_curves(record), *_against_noise([record, *others])],
        "propagation": _propagation(record),
        "examples": [_example(example, run_dir) for example in record.get("examples", [])],
        "stages": _stages(record["seconds"]),
        "config": _config(record, run_dir),
        "skipped": record.get("skipped", []),
        "notes": record.get("notes", []),
    }


def _facts(record: Record) -> dict[str, str]:
    dataset = record["dataset"]
    sizes = ", ".join(f"{dataset[part]} {part}" for part in ("train", "val", "test") if dataset.get(part) is not None)
    facts = {"data set": f"{dataset['name']}" + (f": photographs {sizes}" if sizes else "")}
    facts |= {"blur": brief(record["blur"]), **{k: v for k, v in conditions(record).items() if k != "data set"}}
    facts |= {"variant": record["variant"], "seed": str(record["seed"]), "git": record["git"], "made": record["created"]}
    facts["versions"] = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return {name: value for name, value in facts.items() if value}


def _groups(every: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows by heading; rows of one unit under one heading share a scale."""
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
    if len(known) < 2 or min(known) == max(known):
        return None
    pad = 0.04 * (max(known) - min(known))
    return min(known) - pad, max(known) + pad


def _mark(row: Row, scale: tuple[float, float] | None) -> str:
    if scale is None:
        return ""
    theirs, limit = (row.published or {}).get("value"), (row.limit or {}).get("value")
    return mark(*scale, row.ours, theirs, limit)


def _confusion(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    lines = []
    for truth, counts in zip(table["labels"], table["matrix"], strict=True):
        total = sum(counts)
        cells = [{"count": count, "share": count / total if total else 0.0} for count in counts]
        lines.append({"label": truth, "cells": cells, "total": total})
    return {"name": name.replace("/", ", "), "labels": table["labels"], "lines": lines}


def _curves(record: Record) -> list[dict[str, Any]]:
    """One chart for the curves of one metric over one abscissa; what follows the slash names the curve."""
    together: dict[tuple[str, str], list[tuple[str, Mapping[str, Any]]]] = {}
    for name, curve in record.get("curves", {}).items():
        base, suffix = split_name(name)
        together.setdefault((base, curve["x_name"]), []).append((suffix.replace("/", ", ") or label(base).text, curve))
    charts = []
    for (base, x_name), members in together.items():
        series = []
        for colour, (name, curve) in enumerate(members):
            if curve.get("limit"):
                series.append(Series(f"{name}: limit", curve["limit"], colour % 6, limit=True))
            series.append(Series(name, curve["points"], colour % 6))
        charts.append(_chart(base, x_name, series))
    return [chart for chart in charts if chart["svg"]]


def _chart(base: str, x_name: str, series: Sequence[Series]) -> dict[str, Any]:
    known = label(base)
    fraction = "accuracy" in base or base.startswith("coverage")
    axis = _AXES.get(x_name, x_name.replace("_", " "))
    title = f"{known.text}" + (f" ({known.unit})" if known.unit else "")
    svg = line_chart(series, axis, title, *((0.0, 1.0) if fraction else ()))
    return {"title": title, "axis": axis, "svg": svg, "key": series}


def _against_noise(records: Sequence[Record]) -> list[dict[str, Any]]:
    series = []
    for colour, name in enumerate(PROPAGATION):
        points = [
            {"x": record["noise"]["sigma"], **record["metrics"][name]}
            for record in records
            if name in record["metrics"] and isinstance(record["noise"].get("sigma"), (int, float))
        ]
        if len({point["x"] for point in points}) > 1:
            series.append(Series(PROPAGATION[name], sorted(points, key=lambda p: p["x"]), colour))
    return [_chart("ISNR by kernel, dB", "sigma", series)] if series else []


def _propagation(record: Record) -> list[dict[str, Any]]:
    """Class -> parameters -> kernel -> ISNR: one table a deconvolver, each row against the true kernel's."""
    tables = []
    suffixes = {split_name(name)[1] for name in record["metrics"] if split_name(name)[0] in PROPAGATION}
    for suffix in sorted(suffixes):
        named = {base: record["metrics"].get(f"{base}/{suffix}" if suffix else base) for base in PROPAGATION}
        entries = {base: entry for base, entry in named.items() if entry and entry["value"] is not None}
        if len(entries) < 2:
            continue
        ends = [float(e[k]) for e in entries.values() for k in ("value", "low", "high") if e.get(k) is not None] + [0.0]
        pad = 0.04 * (max(ends) - min(ends) or 1.0)
        oracle = entries.get("isnr_oracle", {}).get("value")
        lines = [
            {
                "kernel": PROPAGATION[base], "name": base, "value": figure(entry["value"], 2), "interval": interval(entry, 2),
                "n": entry.get("n", ""), "bad": entry["value"] < 0,
                "lost": "" if oracle is None or base == "isnr_oracle" else figure(entry["value"] - oracle, 2),
                "svg": mark(min(ends) - pad, max(ends) + pad, entry, limit=0.0),
            }
            for base, entry in entries.items()
        ]  # fmt: skip
        tables.append({"by": suffix, "lines": lines})
    return tables


def _example(example: Mapping[str, Any], run_dir: Path) -> dict[str, Any]:
    true, found = str(example["title"]), str(example.get("estimated", "not estimated"))
    steps = [
        ("sharp", "Sharp", str(example.get("photo", "")), None, None),
        ("blurred", "Blurred", f"by {true}", 0.0, example.get("ssim_blurred")),
        ("oracle", "Restored, true kernel", true, example.get("isnr_oracle"), example.get("ssim_oracle")),
        ("estimated_image", "Restored, estimated kernel", found, example.get("isnr_estimated"), example.get("ssim_estimated")),
    ]
    pictures = [
        {"step": step, "kernel": kernel, "uri": _data_uri(example.get(key), run_dir),
         "isnr": "" if isnr is None else f"{figure(isnr, 1)} dB", "ssim": "" if ssim is None else figure(ssim, 3)}
        for key, step, kernel, isnr, ssim in steps
    ]  # fmt: skip
    return {"true": true, "found": found, "photo": str(example.get("photo", "")), "pictures": pictures}


def _data_uri(relative: str | None, run_dir: Path) -> str:
    """The picture as a data URI; empty where it is missing, no picture, or outside the run's folder."""
    if not relative:
        return ""
    file = (run_dir / relative).resolve()
    mime = _MIME.get(file.suffix.lower())
    if mime is None or not file.is_relative_to(run_dir.resolve()) or not file.is_file():
        return ""
    return f"data:{mime};base64,{base64.b64encode(file.read_bytes()).decode('ascii')}"


def _stages(seconds: Mapping[str, Any]) -> list[dict[str, Any]]:
    known = {name: float(value) for name, value in seconds.items() if isinstance(value, (int, float))}
    longest = max(known.values(), default=0.0) or 1.0
    return [{"name": n.replace("_", " "), "text": f"{v:.1f} s", "share": v / longest} for n, v in known.items()]


def _config(record: Record, run_dir: Path) -> str:
    """The run's configuration: of the record, else the file Hydra left."""
    if "config" in record:
        config = record["config"]
        return config if isinstance(config, str) else json.dumps(config, indent=2, ensure_ascii=False)
    for name in ("config.yaml", ".hydra/config.yaml"):
        if (run_dir / name).is_file():
            return (run_dir / name).read_text(encoding="utf-8")
    return ""
