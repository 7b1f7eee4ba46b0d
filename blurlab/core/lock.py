"""A lock between processes: who works on a file or folder keeps others out until it is done or dead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Locked(OSError):
    """Another process holds the lock."""


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a file until the block ends.

    The lock is the operating system's: it is gone with the process, however that ends, and processes that are forked
    inside the block do not hold it. Where the system has no such locks (Windows) nothing is locked.

    Args:
        path: The file; made where it is not there, and left there. Its folder must exist.
        wait: Wait for another process that holds it; else raise.

    Raises:
        Locked: If another process holds it and ``wait`` is false.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder, ".lock")):
        ...     print("alone")
        alone
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(path, "ab") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except (BlockingIOError, PermissionError) as error:
            raise Locked(f"{path} is locked by another process") from error
        yield
