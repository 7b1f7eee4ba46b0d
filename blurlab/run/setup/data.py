"""The photographs of a run: found, split, prepared, and described for the record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console

from blurlab.dataset import SCALE, Captures, DataNotFound, Photo, SharpImages, Source, Split, make_split, prepare_all
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build
from blurlab.run.setup.progress import bar

CUTS = ("whole", "centre", "anywhere")
LARGEST_SIDE = 1024
"""Training photographs are kept at their own size up to this one, so that crops of them can be shrunk."""


@dataclass(frozen=True)
class RunData:
    """Prepared photographs.

    Attributes:
        train: At their own size, for augmentation.
        val: Of ``size``, or larger where an item may lie anywhere in a photograph.
        test: As ``val``.
        facts: The record's entry ``dataset``: which set was asked for, which was used, counts, content hash.
        skipped: (id, reason) of photographs left out.
        size: Side of a sharp image in pixels: the observed size and the margins.
        channels: 1 or 3.
        scale: What share of a photograph a training item shows; None where items are cut out as they are.
        captures: The set tested on, where its photographs were also taken blurred.
    """

    train: SharpImages
    val: SharpImages
    test: SharpImages
    facts: dict[str, Any]
    skipped: list[tuple[str, str]]
    size: int
    channels: int
    scale: tuple[float, float] | None
    captures: Captures | None = None


def prepare(cfg: DictConfig, sources: dict[str, Source], margin: int, console: Console) -> RunData:
    """Find, split and prepare the photographs of ``cfg.dataset``.

    Where the set is missing its ``fallback`` is taken, unless ``strict``. With a ``test_source`` the test photographs
    (and they alone) come from there: its own test quarter, or with ``test_part: all`` every one of them; where
    ``source`` is null these are all there is, and nothing can be trained. With a
    ``val_source`` all of its photographs are validated on, and what would have been is trained on. With
    ``cut: centre`` photographs are not shrunk to the size: their centre is cut out; with ``cut: anywhere`` each item is
    cut out at a place of its own. With ``scale: [low, high]`` training items are squares of that share of a
    photograph's side, made as small as an item, whatever is cut out of the others.

    Args:
        cfg: The run's configuration.
        sources: The sets that ``cfg.dataset`` names, by key (:func:`~blurlab.run.setup.parts.build_sources`).
        margin: Pixels that a sharp image needs on each side beyond the observed one.
        console: Where progress is shown.

    Returns:
        The prepared photographs.

    Raises:
        UsageError: If a set is missing and must not be replaced, or empty.
    """
    dataset = cfg.dataset
    source, split, stands_in = _find(cfg, sources, console)
    size = int(dataset.size) + 2 * margin
    tested, test_split = source, split
    if "source" in sources and "test_source" in sources:
        tested = sources["test_source"]
        test_split = make_split(tested)
    every = dataset.get("test_part", "quarter") == "all"
    test_photos = [*test_split.train, *test_split.val, *test_split.test] if every else test_split.test
    cut = str(dataset.get("cut", "whole"))
    if cut not in CUTS:
        raise UsageError(f"dataset.cut must be one of {', '.join(CUTS)}, got {cut}")
    resize, anywhere = cut == "whole", cut == "anywhere"
    side = max(LARGEST_SIDE, size) if anywhere else size

    def ready(
        what: str, of: Source, photos: list[Photo], from_split: Split, side: int, ceiling: bool = False
    ) -> tuple[SharpImages, list]:
        with _progress(f"{what} photographs", console, bool(cfg.run.progress)) as step:
            done = prepare_all(
                of, photos, side, str(dataset.channel), Path(str(cfg.paths.cache_dir)),
                ceiling=ceiling, resize=resize, least=0 if resize else size, digests=from_split.digests, progress=step,
            )  # fmt: skip
        return SharpImages(done.arrays, done.ids), done.skipped

    trained, checked, val_split, val_photos = split.train, source, split, split.val
    if "val_source" in sources:
        checked = sources["val_source"]
        val_split = make_split(checked)
        trained = [*split.train, *split.val]
        val_photos = [*val_split.train, *val_split.val, *val_split.test]
    kept_apart((trained, split), (val_photos, val_split), (test_photos, test_split))
    fixed = bool(cfg.budget.draws_train)  # nothing is then cropped and shrunk: photographs are as those tested on
    train_side = side if fixed else max(LARGEST_SIDE, size)
    train, bad_train = ready("training", source, trained, split, train_side, ceiling=anywhere or not fixed)
    val, bad_val = ready("validation", checked, val_photos, val_split, side, ceiling=anywhere)
    test, bad_test = ready("test", tested, test_photos, test_split, side, ceiling=anywhere)
    facts = {
        "name": source.name,
        "requested": str(dataset.name) if stands_in else source.name,
        "train": len(train),
        "val": len(val),
        "test": len(test),
        "sha256": split.sha256,
        "size": int(dataset.size),
        "channel": str(dataset.channel),
        "cut": cut,
    }
    if checked is not source:
        facts |= {"val_name": checked.name, "val_sha256": val_split.sha256}
    if tested is not source:
        name = f"{source.name}->{tested.name}"
        facts |= {"name": name, "requested": str(dataset.name) if stands_in else name, "test_sha256": test_split.sha256}
    elsewhere = test_split.skipped if tested is not source else []
    skipped = [*split.skipped, *elsewhere, *bad_train, *bad_val, *bad_test]
    channels = 3 if dataset.channel == "rgb" else 1
    captures = tested if isinstance(tested, Captures) else None
    scale = SCALE if resize else None
    if dataset.get("scale") is not None:
        low, high = (float(end) for end in dataset.scale)
        scale = (low, high)
    return RunData(train, val, test, facts, skipped, size, channels, scale, captures)


def stand_in(dataset: DictConfig) -> str:
    """Name of the set that will be used because the one asked for is not there; "" where it is there.

    Only looks for the photographs, so it may be asked before the work.
    """
    if dataset.source is None or dataset.get("fallback") is None or dataset.strict:
        return ""
    try:
        build(dataset.source).photos()
    except DataNotFound:
        tested = dataset.get("test_source")
        return "->".join(build(node).name for node in (dataset.fallback, tested) if node is not None)
    return ""


def kept_apart(*parts: tuple[list[Photo], Split]) -> None:
    """Raise where photographs to train, validate and test on, which may come from several sets, share a file.

    Raises:
        UsageError: Naming the photograph.
    """
    met: dict[str, str] = {}
    for photos, split in parts:
        mine = {split.digests[photo.id]: photo.id for photo in photos}
        for digest in mine.keys() & met.keys():
            raise UsageError(f"{mine[digest]} is the same file as {met[digest]} of another part; choose other sets")
        met |= mine


def _find(cfg: DictConfig, sources: dict[str, Source], console: Console) -> tuple[Source, Split, bool]:
    """The set that is really used, its split, and whether it stands in for the one asked for."""
    if "source" not in sources:
        return *_only_tested(cfg.dataset, sources), False
    with _progress("reading the set", console, bool(cfg.run.progress)) as step:
        try:
            return sources["source"], make_split(sources["source"], progress=step), False
        except DataNotFound as error:
            if "fallback" not in sources or cfg.dataset.strict:
                raise UsageError(str(error)) from error
        return sources["fallback"], make_split(sources["fallback"], progress=step), True


def _only_tested(dataset: DictConfig, sources: dict[str, Source]) -> tuple[Source, Split]:
    """The set tested on and its split, of which nothing is left to train and validate on."""
    if "test_source" not in sources:
        raise UsageError("dataset.source is null and so is dataset.test_source; name one of them")
    source = sources["test_source"]
    try:
        split = make_split(source)
    except DataNotFound as error:
        raise UsageError(str(error)) from error
    rest = [] if dataset.get("test_part", "quarter") == "all" else [*split.train, *split.val]
    tested = [photo for photo in (*split.train, *split.val, *split.test) if photo not in rest]
    return source, replace(split, train=[], val=[], test=sorted(tested, key=lambda photo: photo.id))


@contextmanager
def _progress(title: str, console: Console, show: bool):  # type: ignore[no-untyped-def]  # a generator of a callback
    with bar(console, show) as progress:
        task = progress.add_task(title, total=None)

        def step(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        callback: Callable[[int, int], None] = step
        yield callback
