"""One progress bar for every stage that is not a training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")


def track(items: Sequence[T], title: str, console: Console, show: bool) -> Iterator[T]:
    """Iterate with a rich progress bar, if it is to be shown."""
    with bar(console, show) as progress:
        yield from progress.track(items, description=title)


def bar(console: Console, show: bool) -> Progress:
    """A rich progress bar: title, bar, count, time gone, time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=not show)
