"""The weights that come with the package: where they lie, what they are for, and what their bytes must be."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SUMS = PACKAGE / "weights.sha256"
"""A line a file, as ``sha256sum */weights/*.safetensors`` prints it in the package's folder."""


@dataclass(frozen=True)
class Weights:
    """A file of weights.

    Attributes:
        place: Below the package's folder, with ``/``.
    """

    place: str

    @property
    def path(self) -> Path:
        """The file."""
        return PACKAGE / self.place

    @property
    def name(self) -> str:
        """What a configuration or a command calls it."""
        return self.path.stem

    @property
    def card(self) -> str:
        """Its model card, Markdown; empty where there is none."""
        card = self.path.with_suffix(".md")
        return card.read_text(encoding="utf-8") if card.is_file() else ""

    @property
    def about(self) -> str:
        """The first paragraph of its card below the heading, as one line."""
        parts = [part for part in self.card.split("\n\n") if part.strip() and not part.startswith("#")]
        return " ".join(parts[0].split()) if parts else ""

    @property
    def taken_by(self) -> str:
        """The options that take it by its name."""
        if self.place.startswith("deconvolver/"):
            return f"deconvolver.weights={self.name}"
        with self.path.open("rb") as file:
            keys = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        asked = f", --weights {self.name}" if any(key.startswith("blur/") for key in keys) else ""
        return f"pipeline.weights={self.name}{asked}"

    @property
    def sha256(self) -> str:
        """Of its bytes, in hexadecimal."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def shipped() -> list[Weights]:
    """Every file of weights in the package.

    Example:
        >>> [one.place for one in shipped() if one.name == "photograph"]
        ['pipeline/weights/photograph.safetensors']
    """
    return [Weights(path.relative_to(PACKAGE).as_posix()) for path in sorted(PACKAGE.glob("*/weights/*.safetensors"))]


def faults() -> list[str]:
    """What is wrong with the files of weights: missing, other than in the list ``SUMS``, or not listed."""
    listed = {place: digest for digest, place in (line.split() for line in SUMS.read_text().splitlines())}
    here = {one.place: one for one in shipped()}
    missing = [f"{place} is missing" for place in listed if place not in here]
    unknown = [f"{place} is not listed in {SUMS.name}" for place in here if place not in listed]
    other = [
        f"{place} is damaged or another" for place, one in here.items() if listed.get(place, one.sha256) != one.sha256
    ]
    return [*missing, *unknown, *other]
