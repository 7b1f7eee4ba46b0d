"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from blurlab.core.file_names import shortened

DRAFT_BYTES = 100
"""How much of a file's name its draft carries; the rest of the draft's name needs 38 bytes more."""


@contextmanager
def replace_whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new file under a temporary name beside ``path``; it takes that name when the block ends without error.

    Args:
        path: The file to make or replace; its folder must exist.

    Yields:
        A binary file to write to.

    Raises:
        OSError: If the file cannot be made there; nothing is left behind, and an older file stays as it was.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replace_whole(f"{folder}/a") as file:
        ...         _ = file.write(b"whole")
        ...     os.listdir(folder)
        ['a']
    """
    path = Path(path)
    draft = path.with_name(f".{shortened(path.name, DRAFT_BYTES)}.{uuid.uuid4().hex}.tmp")
    try:
        with open(draft, "xb") as file:
            yield file
        os.replace(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink()


def write_text(path: Path, text: str) -> Path:
    """Write ``text`` as UTF-8, whole or not at all; the folder is made where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_whole(path) as file:
        file.write(text.encode("utf-8"))
    return path
