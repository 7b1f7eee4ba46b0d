"""The rows of every table: one metric with what was published, what we measured and the limit, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blurlab.report.labels import Label, label, sort_key, split_name
from blurlab.report.record import fell_back
from blurlab.report.text import MISSING, NOT_RUN, brief, figure, interval

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One metric of one record.

    Attributes:
        name: Key of the record, with its suffix.
        head: The suffix: which head or deconvolver, empty where the record has one.
        label: How the metric is shown.
        ours: ``{"value", "low", "high", "n", "unit"}``, or None where it was not run.
        published: ``{"value", "source"}``, or None.
        limit: ``{"value", "how"}``, or None.
    """

    name: str
    head: str
    label: Label
    ours: Entry | None
    published: Entry | None
    limit: Entry | None

    @property
    def unit(self) -> str:
        """Unit of the record where it names one, else of the label."""
        return str((self.ours or {}).get("unit") or self.label.unit)

    @property
    def ours_text(self) -> str:
        """Our value, or ``not run``."""
        return NOT_RUN if self.ours is None else figure(self.ours["value"], self.label.digits)

    @property
    def interval_text(self) -> str:
        """The 95 % interval, or nothing."""
        return interval(self.ours, self.label.digits)

    @property
    def n_text(self) -> str:
        """How many images the value is the mean of, or nothing."""
        count = (self.ours or {}).get("n")
        return "" if count is None else f"{count:d}"

    @property
    def published_text(self) -> str:
        """The published value with no digit added."""
        if self.published is None or self.published["value"] is None:
            return MISSING
        return str(self.published.get("text") or f"{self.published['value']:g}").replace("-", "−")

    @property
    def limit_text(self) -> str:
        """The limit, or a dash."""
        return MISSING if self.limit is None else figure(self.limit["value"], self.label.digits)

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``within``: where the published value lies to our interval; empty if unknown."""
        ours, theirs, up = self.ours or {}, (self.published or {}).get("value"), self.label.higher_is_better
        low, high = ours.get("low"), ours.get("high")
        if theirs is None or low is None or high is None or up is None:
            return ""
        if low <= theirs <= high:
            return "within"
        return "better" if (low > theirs) == up else "worse"


def rows(record: Mapping[str, Any], published: Mapping[str, Entry] | None = None) -> list[Row]:
    """One row a metric that was measured or published, in the order of ``labels``.

    A published figure or a limit without a suffix stands beside every head; with one, beside that head alone.

    Args:
        record: A valid record.
        published: Published figures that replace those of the record.

    Example:
        >>> made_up = {"metrics": {"psnr/tv": {"value": 30.0}}, "published": {"psnr": {"value": 29, "source": "-"}},
        ...            "limit": {}}
        >>> [(row.name, row.published_text, row.ours_text, row.limit_text) for row in rows(made_up)]
        [('psnr/tv', '29', '30.00', '-')]
    """
    theirs = {**record["published"], **(published or {})}
    measured, limits = record["metrics"], record["limit"]
    covered = {split_name(name)[0] for name in measured}
    names = set(measured) | {name for name in theirs if "/" in name or name not in covered}
    return [
        Row(
            name=name,
            head=split_name(name)[1],
            label=label(name, str(measured.get(name, {}).get("unit", ""))),
            ours=measured.get(name),
            published=theirs.get(name, theirs.get(split_name(name)[0])),
            limit=limits.get(name, limits.get(split_name(name)[0])),
        )
        for name in sorted(names, key=sort_key)
    ]


def interval_note(record: Mapping[str, Any]) -> str:
    """What the 95 % intervals are, in one line.

    Example:
        >>> interval_note({"dataset": {"test": 17}})
        'Intervals: of proportions Wilson, ... of means, bootstrap over 17 test photographs.'
    """
    count = record["dataset"].get("test")
    photographs = "the test photographs" if count is None else f"{count} test photographs"
    return (
        "Intervals: of proportions Wilson, degradations of a photograph taken as independent; "
        f"of means, bootstrap over {photographs}."
    )


def variant(record: Mapping[str, Any]) -> str:
    """Which of an experiment's records this is: its variant, and its seed where that is not 0.

    Example:
        >>> variant({"variant": "drive_chase", "seed": 0}), variant({"variant": "drive_chase", "seed": 3})
        ('drive_chase', 'drive_chase, seed 3')
    """
    return f"{record['variant']}, seed {record['seed']}" if record["seed"] else str(record["variant"])


def conditions(record: Mapping[str, Any]) -> dict[str, str]:
    """Under what the figures of a record hold: data set, noise, boundary, budget, device."""
    dataset, boundary = record["dataset"], record["boundary"]
    crime = " (inverse crime)" if record["inverse_crime"] else ""
    name = str(dataset["name"])
    if dataset.get("val_name"):
        name += f" (validated on photographs of {dataset['val_name']} that are not tested)"
    if fell_back(record):
        name += f" (in place of {dataset['requested']})"
    return {
        "data set": name,
        "noise": brief(record["noise"]),
        "boundary": f"{boundary['data']} / solver {boundary['solver']}{crime}",
        "budget": record["budget"],
        "device": record["device"],
    }
