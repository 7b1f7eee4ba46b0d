"""One progress bar for every stage that is not a training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from blurlab.run.context import Context

T = TypeVar("T")


def track(items: Sequence[T], title: str, context: Context) -> Iterator[T]:
    """Iterate with a rich progress bar, where the run shows progress."""
    with bar(context.console, not context.progress) as progress:
        yield from progress.track(items, description=title)


def bar(console: object, disable: bool) -> Progress:
    """A rich progress bar: title, bar, count, time gone, time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=disable)  # type: ignore[arg-type]
