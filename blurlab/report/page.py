"""One run as one HTML page that needs no other file."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blurlab.core.atomic import write_text
from blurlab.report import bounds
from blurlab.report.panels import against_noise, by_strength, confusion, curves, groups, propagation
from blurlab.report.record import fell_back, validate_record
from blurlab.report.robustness import NOTE, TITLE, robustness
from blurlab.report.rows import Row, conditions, interval_note, rows
from blurlab.report.terminal import banner
from blurlab.report.text import brief, figure

Record = Mapping[str, Any]
_MIME = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


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
    templates = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = templates.get_template("template.html.jinja").render(_context(record, Path(run_dir), others))
    return write_text(Path(run_dir) / "report.html", page)


def _context(record: Record, run_dir: Path, others: Sequence[Record]) -> dict[str, Any]:
    every = rows(record)
    return {
        "record": record,
        "warning": banner(record) if fell_back(record) else "",
        "facts": _facts(record),
        "interval_note": interval_note(record),
        "headline": _headline(every),
        "groups": groups(every),
        "with_heads": any(row.head for row in every),
        "with_published": any(row.published for row in every),
        "confusions": [confusion(name, table) for name, table in record.get("confusion", {}).items()],
        "charts": [*curves(record), *against_noise([record, *others])],
        "propagation": propagation(record),
        "by_strength": by_strength(record),
        "bounds": {"title": bounds.TITLE, "note": bounds.NOTE, "heads": bounds.HEADS, "lines": bounds.bounds(record)},
        "robustness": {"title": TITLE, "note": NOTE, **robustness(record)},
        "examples": [_example(example, run_dir) for example in record.get("examples", [])],
        "stages": _stages(record["seconds"]),
        "config": _config(record, run_dir),
        "skipped": record.get("skipped", []),
        "notes": record.get("notes", []),
    }


def _headline(every: Sequence[Row]) -> list[Row]:
    """At most four figures for the top of the page, those with a limit or a published figure first."""
    known = [row for row in every if row.label.headline and row.ours]
    return sorted(known, key=lambda row: -bool(row.limit) - bool(row.published))[:4]


def _facts(record: Record) -> dict[str, str]:
    dataset = record["dataset"]
    sizes = ", ".join(f"{dataset[part]} {part}" for part in ("train", "val", "test") if dataset.get(part) is not None)
    facts = {"data set": f"{dataset['name']}" + (f": photographs {sizes}" if sizes else "")}
    facts |= {
        "blur": brief(record["blur"]),
        **{k: v for k, v in conditions(record).items() if k != "data set"},
    }
    facts |= {
        "variant": record["variant"],
        "seed": str(record["seed"]),
        "git": record["git"],
        "made": record["created"],
    }
    facts["versions"] = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return {name: value for name, value in facts.items() if value}


def _example(example: Mapping[str, Any], run_dir: Path) -> dict[str, Any]:
    true, found = str(example["title"]), str(example.get("estimated", ""))
    steps = [
        ("sharp", "Sharp", str(example.get("photo", "")), None, None),
        ("blurred", "Blurred", f"by {true}", 0.0, example.get("ssim_blurred")),
        ("oracle", "Restored, true kernel", true, example.get("isnr_oracle"), example.get("ssim_oracle")),
    ]
    if found:
        figures = example.get("isnr_estimated"), example.get("ssim_estimated")
        steps.append(("estimated_image", "Restored, estimated kernel", found, *figures))
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
