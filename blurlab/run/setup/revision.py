"""Which code is running."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from blurlab.core.version import VERSION

WHAT_RUNS = ("blurlab", "conf", "pyproject.toml", "constraints.txt")
"""What of a checkout a figure may depend on: other records do not count."""


@cache  # what was loaded at the start is what runs, whatever the checkout holds hours later
def git_revision() -> str:
    """Short revision of the checkout, with ``+`` where what runs differs from it; ``unknown`` outside one."""
    here = Path(__file__).resolve().parents[3]
    if not (here / ".git").exists():
        return "unknown"
    try:
        revision, changed = (
            subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, check=True, timeout=10)
            for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--", *WHAT_RUNS])
        )
        return revision.stdout.strip() + ("+" if changed.stdout.strip() else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def code() -> str:
    """Version and revision, for instance ``0.1.0 1a2b3c4``."""
    return f"{VERSION} {git_revision()}"
