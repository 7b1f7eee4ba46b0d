"""What a stopped command has left in a folder, and whether the command that goes on asks for the same."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from blurlab.core.atomic import write_text
from blurlab.pipeline.shipped import SHIPPED


def digest(weights: str) -> str:
    """The SHA-256 of a file of weights, the package's by name or another by path."""
    path = Path(weights) if Path(weights).is_file() else SHIPPED / f"{weights}.safetensors"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(folder: Path, **settings: Any) -> None:
    """Note the settings in an empty folder, and hold them against those noted before.

    Raises:
        SystemExit: If what the folder holds was made by others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "settings.json"
    if not note.exists():
        write_text(note, json.dumps(settings, indent=1) + "\n")
    before = json.loads(note.read_text())
    other = sorted(name for name in {*before, *settings} if before.get(name) != settings.get(name))
    if other:
        raise SystemExit(
            f"error: {folder} holds what was found with another {', '.join(other)} "
            f"({before.get(other[0])}, not {settings.get(other[0])}); use a new folder"
        )
