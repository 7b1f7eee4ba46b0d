"""From what was measured to the record of a run: rows, figures with intervals, limits, one JSON file."""
