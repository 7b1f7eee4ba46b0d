"""An interval without an upper end: said so by the table, whatever reads it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from blurlab.cli.line import describe
from blurlab.cli.rows import as_json, from_json, row_of, write_table
from blurlab.found import Found, Measured


def test_an_interval_without_an_upper_end_is_null_in_json_and_comes_back(tmp_path: Path) -> None:
    sigma = Measured("gaussian.sigma_px", "px", 7.97, 7.26, math.inf)
    found = Found("gaussian", 0.9, 7.97, (7.26, math.inf), 7.6, np.ones((1, 1)), parameters=(sigma,))
    row = row_of(Path("wide.jpg"), found)
    (line,) = write_table([row], tmp_path / "wide.jsonl").read_text().splitlines()
    kept = json.loads(line, parse_constant=lambda name: 1 / 0)  # no Infinity, which JSON does not have
    assert (kept["strength_low_px"], kept["strength_high_px"]) == (7.26, None)
    assert kept["parameters"]["gaussian.sigma_px"] == {"value": 7.97, "low": 7.26, "high": None}
    again = from_json(kept)
    assert again.strength_high_px == math.inf and again.parameters == row.parameters
    unknown = from_json(as_json(row_of(Path("a.jpg"), Found("none", 0.9, 0.0, (math.nan,) * 2, 0.0, np.ones((1, 1))))))
    assert math.isnan(unknown.strength_high_px)
    assert "at least 7.26 px" in describe(found) and "7.97" not in describe(found)
