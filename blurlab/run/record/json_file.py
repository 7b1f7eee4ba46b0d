"""JSON as records are written: whole or not at all, without numbers that are not finite."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from blurlab.core.atomic import write_text


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all; a number that is not finite becomes null, as JSON has none."""
    write_text(path, json.dumps(_finite(value), indent=1, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
