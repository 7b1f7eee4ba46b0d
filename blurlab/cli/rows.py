"""What was found in a photograph and done with it, as a row of a table: CSV or JSON lines."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurlab.core.atomic import write_text
from blurlab.core.file_names import readable

if TYPE_CHECKING:
    from blurlab.found import Found

ENDINGS = (".csv", ".jsonl")


@dataclass(frozen=True)
class Row:
    """A photograph of a command.

    Attributes:
        file: Its name.
        output: Name of the result; empty where there is none.
        kind: Most probable kind of blur; ``cannot tell``, or ``soft``, where it is not known; empty after an error.
        probability: Of that kind; NaN where it is not known.
        strength_px: Best estimate of the strength; NaN where the kind is not known.
        strength_low_px: Lower end of its 90 % interval.
        strength_high_px: Upper end; infinite, in a table null or empty, where the strength is at the end of what can be
            measured and may be greater: then it is at least ``strength_low_px``.
        parameters: Each parameter's value and the ends of its 90 % interval, by name; an upper end may be infinite too.
        softness_px: Standard deviation of the Gaussian that is undone where the kind of a softness is not sure.
        sigma: Noise standard deviation, on the [0, 1] scale.
        network: The weights of the package, or others, that were asked; empty where a run's were, or none.
        restored: Was the photograph changed?
        reason: Why not; empty where it was.
        seconds: From the opened file to the written result.
        error: Why the file could not be used; empty where it could.
    """

    file: str
    output: str = ""
    kind: str = ""
    probability: float = math.nan
    strength_px: float = math.nan
    strength_low_px: float = math.nan
    strength_high_px: float = math.nan
    parameters: tuple[tuple[str, float, float, float], ...] = ()
    softness_px: float = math.nan
    sigma: float = math.nan
    network: str = ""
    restored: bool = False
    reason: str = ""
    seconds: float = math.nan
    error: str = ""


def row_of(file: Path, found: Found) -> Row:
    """The row of what was found in a file, as far as that goes."""
    low, high = found.interval_px
    return Row(
        readable(file),
        kind=found.word,
        probability=found.probability if found.can_tell else math.nan,
        strength_px=found.strength_px if found.can_tell else math.nan,
        strength_low_px=low,
        strength_high_px=high,
        parameters=tuple((one.name, one.value, one.low, one.high) for one in found.parameters),
        softness_px=found.softness_px,
        sigma=found.sigma,
        network=found.network,
        reason=found.reason,
    )


def as_json(row: Row) -> dict[str, Any]:
    """What JSON can hold: null for NaN, and for an upper end that is infinite."""
    flat = {name: _number(value) for name, value in asdict(row).items()}
    named = {name: {"value": value, "low": low, "high": high} for name, value, low, high in row.parameters}
    flat["parameters"] = {name: {end: _number(x) for end, x in one.items()} for name, one in named.items()}
    return flat


def from_json(kept: dict[str, Any]) -> Row:
    """The inverse of :func:`as_json`.

    Raises:
        TypeError, KeyError, AttributeError: If it is no row.
    """
    numbers = [name for name, value in asdict(Row("")).items() if isinstance(value, float)]
    real = {name: _real(kept[name]) for name in numbers}
    real["strength_high_px"] = _upper(kept["strength_low_px"], kept["strength_high_px"])
    named = [
        (name, _real(one["value"]), _real(one["low"]), _upper(one["low"], one["high"]))
        for name, one in kept["parameters"].items()
    ]
    return Row(**{**kept, **real, "parameters": tuple(named)})


def check_table(path: Path | None) -> None:
    """Raise unless a table's name says its format, or there is none to write.

    Raises:
        ValueError: Naming it.
    """
    if path is not None and path.suffix.lower() not in ENDINGS:
        raise ValueError(f"--table {readable(path)} must end in one of {', '.join(ENDINGS)}")


def write_table(rows: Iterable[Row], path: Path) -> Path:
    """Write a row a photograph: CSV, or a JSON object a line, by the ending; the parameters are columns of the CSV.

    Raises:
        OSError: If the file cannot be made; an older one stays as it was.
    """
    every = [as_json(row) for row in rows]
    if path.suffix.lower() == ".csv":
        return write_text(path, _csv(every))
    return write_text(path, "".join(json.dumps(row) + "\n" for row in every))


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    flat = []
    for row in rows:
        ends = {
            name if end == "value" else f"{name}_{end}": value
            for name, one in row["parameters"].items()
            for end, value in one.items()
        }
        flat.append({name: value for name, value in row.items() if name != "parameters"} | ends)
    fixed = [name for name in as_json(Row("")) if name != "parameters"]
    names = [*fixed, *dict.fromkeys(name for row in flat for name in row if name not in fixed)]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: str(v).lower() if isinstance(v, bool) else v for name, v in row.items()} for row in flat)
    return out.getvalue()


def _real(kept: Any) -> float:
    return math.nan if kept is None else float(kept)


def _upper(low: Any, high: Any) -> float:
    """An upper end as it was before JSON: where there is a lower one alone, infinite."""
    return math.inf if high is None and low is not None else _real(high)


def _number(value: Any) -> Any:
    """A number of six digits, None for NaN and infinity, anything else as it is."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None
