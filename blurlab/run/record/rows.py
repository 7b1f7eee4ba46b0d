"""What is measured of each test item: a row of the table from which a record is made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from blurlab.blur import BlurFamily
from blurlab.metric import IMAGE_METRICS
from blurlab.physics import Degraded
from blurlab.pipeline import KindEstimate, Scorer

UNITS = {"isnr": "dB", **{name: metric.unit for name, metric in IMAGE_METRICS.items()}, "psf_snr": "dB"}
"""Unit of each figure of a restoration."""
TRUE_KERNEL = "the same deconvolver with the true kernel"
"""How the limit of a figure with an estimated kernel was found."""


@dataclass(frozen=True)
class NamedBlur:
    """A blur by its kind and parameters; NaN for those that the kind lacks."""

    kind: str
    params: Mapping[str, float]

    def value(self, name: str) -> float:
        """A parameter; NaN where the blur has none of that name."""
        return self.params.get(name, math.nan)


@dataclass(frozen=True)
class Truth(NamedBlur):
    """The true blur.

    Attributes:
        strength_px: Its strength; 0 for no blur and for blurs without one.
        sigma: Standard deviation of the noise.
    """

    strength_px: float
    sigma: float


@dataclass(frozen=True)
class Named(NamedBlur):
    """What an identifier named, as :class:`~blurlab.pipeline.KindEstimate`, and how it scores.

    Attributes:
        probability: Of the kind.
        strength_px: Strength of the kernel handed on.
        strength_map_px: Strength of the most probable class.
        strength_mean_px: Mean of the posterior.
        interval_px: 90 % interval of the strength.
        true_class: Index of the true class.
        found_class: Index of the class named.
        right: Was the right class named?
        halfwidth: Half the 90 % interval of each parameter that has one.
        before: What the network named before refinement; None where nothing was refined.
    """

    probability: float
    strength_px: float
    strength_map_px: float
    strength_mean_px: float
    interval_px: tuple[float, float]
    true_class: int
    found_class: int
    right: bool
    halfwidth: Mapping[str, float] = field(default_factory=dict)
    before: NamedBlur | None = None


@dataclass
class Item:
    """One test item.

    Attributes:
        photo: Name of the photograph.
        draw: Which of its degradations.
        truth: The blur that made it.
        named: The blur that was named; None where estimates have no label.
        best_observer: How often one who knows the photograph tells it from the nearest other class; None where
            estimates have no label.
        restorations: By kernel used ("oracle", "estimated", "map", ...), besides "blurred" (not restored) and
            "oracle_wiener": the figures that were measured, by name (those of ``UNITS``); none where the item was
            not restored.
        bounds: Smallest standard deviation of each parameter's estimate, by what is known of the photograph.
        ceiling: How often the kind can be told; NaN where there are not two; None where it was not measured.
    """

    photo: str
    draw: int
    truth: Truth
    named: Named | None = None
    best_observer: float | None = None
    restorations: dict[str, dict[str, float]] = field(default_factory=dict)
    bounds: dict[str, dict[str, float]] = field(default_factory=dict)
    ceiling: float | None = None

    def figure(self, name: str, kernel: str) -> float:
        """A figure of a restoration; NaN where it was not measured."""
        return self.restorations.get(kernel, {}).get(name, math.nan)


def named(item: Item) -> Named:
    """What was named of an item.

    Raises:
        ValueError: If its estimate has no label.
    """
    if item.named is None:
        raise ValueError(f"nothing was named of {item.photo}: its estimate has no label")
    return item.named


def make_items(
    family: BlurFamily, degraded: Degraded, photos: Sequence[str], draws: int, label: KindEstimate | None,
    scorer: Scorer | None,
) -> list[Item]:  # fmt: skip
    """Items of a batch with their truth and, where they are labelled, with what was named.

    Args:
        family: The blurs.
        degraded: The batch.
        photos: Names of the photographs tested on.
        draws: Items a photograph.
        label: What was found; None where estimates have no label.
        scorer: Scores the label.
    """
    items = []
    for row in range(len(degraded)):
        photo, draw = divmod(int(degraded.item[row]), draws)
        truth = Truth(
            family.kinds[int(degraded.kind[row])], _by_name(family.names, degraded.params[row]),
            float(degraded.strength_px[row]), float(degraded.sigma[row]),
        )  # fmt: skip
        items.append(Item(photos[photo], draw, truth))
    if label is not None and scorer is not None:
        for item, named in zip(items, _named(family, degraded, label, scorer), strict=True):
            item.named = named
    return items


def _named(family: BlurFamily, degraded: Degraded, label: KindEstimate, scorer: Scorer) -> list[Named]:
    right = scorer.is_correct(label, degraded)
    true = scorer.classes(degraded.kind, degraded.strength_px)
    found = scorer.classes(label.kind, label.strength_map_px)
    names, kinds = family.names, family.kinds
    every = []
    for row in range(len(degraded)):
        half = {} if label.halfwidth is None else _by_name(names, label.halfwidth[row])
        before = None
        if label.before is not None:
            kind, params = label.before
            before = NamedBlur(kinds[int(kind[row])], _by_name(names, params[row]))
        every.append(Named(
            kind=kinds[int(label.kind[row])],
            params=_by_name(names, label.params[row]),
            probability=float(label.probability[row].max()),
            strength_px=float(label.strength_px[row]),
            strength_map_px=float(label.strength_map_px[row]),
            strength_mean_px=float(label.strength_mean_px[row]),
            interval_px=(float(label.interval_px[row, 0]), float(label.interval_px[row, 1])),
            true_class=int(true[row]),
            found_class=int(found[row]),
            right=bool(right[row]),
            halfwidth={name: value for name, value in half.items() if math.isfinite(value)},
            before=before,
        ))  # fmt: skip
    return every


def _by_name(names: Sequence[str], values: Tensor) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))
