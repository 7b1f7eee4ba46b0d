"""Splits made from what the photographs are: the same files are always split the same way, and nothing leaks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate

from blurlab.core.image_io import ImageReadError
from blurlab.dataset.source import DataNotFound, Photo, Source

TEST_SHARE = 0.25
VAL_SHARE = 0.2  # of what is not tested
FEWEST_GROUPS = 3


@dataclass(frozen=True)
class Scan:
    """What reading every photograph of a set once has found.

    Attributes:
        photos: Those that can be read, in the set's order.
        digests: Their SHA-256, by id.
        skipped: (id, reason) of the rest.
    """

    photos: list[Photo]
    digests: dict[str, str]
    skipped: list[tuple[str, str]]


@dataclass(frozen=True)
class Split:
    """The parts of a set: no photograph, no copy of it and no member of its group is in two of them.

    Attributes:
        train: Photographs to train on, sorted by id; so are the others.
        val: Photographs to choose by while training.
        test: Photographs to report on.
        skipped: (id, reason) of photographs left out: unreadable, or the copy of one in an earlier set of a Concat.
        sha256: Names the whole set's content (of what was not skipped), whatever the file names.
        digests: SHA-256 of every photograph, by id.
    """

    train: list[Photo]
    val: list[Photo]
    test: list[Photo]
    skipped: list[tuple[str, str]]
    sha256: str
    digests: dict[str, str]


def scan(
    source: Source,
    loader: Callable[[Photo], object] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scan:
    """Read every photograph of a set once.

    Args:
        source: The set.
        loader: Reads a photograph, raising ImageReadError if it cannot; ``source.check`` (the header only) if None,
            ``source.load`` for a full reading.
        progress: Called with (done, total) after each photograph.

    Returns:
        The readable photographs with their digests, and the skipped ones with the reason.

    Raises:
        DataNotFound: If the set is empty, or none of it can be read.
    """
    photos = source.photos()
    digests: dict[str, str] = {}
    skipped: list[tuple[str, str]] = []
    for done, photo in enumerate(photos, 1):
        try:
            (loader or source.check)(photo)
            digests[photo.id] = source.digest(photo)
        except (ImageReadError, OSError) as error:
            skipped.append((photo.id, str(error)))
        if progress is not None:
            progress(done, len(photos))
    if not digests:
        first = f", the first because {skipped[0][1]}" if skipped else ""
        why = f"{len(skipped)} skipped{first}"
        raise DataNotFound(
            f"{source.name} holds no photograph that can be used ({why}); get the set from {source.site}"
        )
    return Scan([photo for photo in photos if photo.id in digests], digests, skipped)


def make_split(source: Source, progress: Callable[[int, int], None] | None = None) -> Split:
    """Split a set into train, validation and test: 75 % to train, of which 20 % to validate, and 25 % to test.

    Photographs of one group, and files of identical bytes, are bound together. The bundles are sorted by a hash of
    their contents; the first go to test until adding another would end further from a quarter of the photographs, the
    next to validation likewise, the rest to train. So the split depends on neither names, order nor a random number;
    and a photograph added or taken away moves only bundles at the two cuts. Counts are exact where every bundle is one
    photograph, and off by at most half the largest bundle otherwise (a tie gives the larger part). Each set of a
    :class:`~blurlab.dataset.concat.Concat` is split by itself.

    Args:
        source: The set.
        progress: Called with (done, total) of each member while its files are checked.

    Returns:
        The parts, [Williams2017] section 3.

    Raises:
        DataNotFound: If the set is empty, or none of it can be read.
        ValueError: If it has fewer than three bundles.
    """
    parts: tuple[list[Photo], list[Photo], list[Photo]] = ([], [], [])
    skipped: list[tuple[str, str]] = []
    digests: dict[str, str] = {}
    first_of: dict[str, str] = {}
    for member in source.members():
        found = scan(member, progress=progress)
        copies = {photo.id for photo in found.photos if found.digests[photo.id] in first_of}
        skipped += found.skipped
        skipped += [(name, f"the same file as {first_of[found.digests[name]]}") for name in sorted(copies)]
        own = {name: digest for name, digest in found.digests.items() if name not in copies}
        bundles = _bundles([photo for photo in found.photos if photo.id in own], own)
        for part, photos in zip(parts, _cut(bundles, member.name), strict=True):
            part += photos
        digests |= own
        first_of |= {digest: name for name, digest in own.items()}
    train, val, test = (sorted(part, key=lambda photo: photo.id) for part in parts)
    return Split(train, val, test, skipped, _hash(digests.values()), digests)


def _bundles(photos: list[Photo], digests: dict[str, str]) -> list[list[Photo]]:
    """Photographs bound together by a common group or a common content, sorted by a hash of their contents."""
    bundle_of: dict[str, list[Photo]] = {}
    for photo in photos:
        bundle = [photo]
        for tie in _ties(photo, digests):
            other = bundle_of.get(tie)
            if other is not None and other is not bundle:
                other += bundle
                bundle = other
        for member in bundle:
            bundle_of.update(dict.fromkeys(_ties(member, digests), bundle))
    distinct = {id(bundle): bundle for bundle in bundle_of.values()}
    return sorted(distinct.values(), key=lambda bundle: _hash(digests[photo.id] for photo in bundle))


def _ties(photo: Photo, digests: dict[str, str]) -> tuple[str, str]:
    return f"group {photo.group or '/' + photo.id}", f"content {digests[photo.id]}"


def _cut(bundles: list[list[Photo]], name: str) -> tuple[list[Photo], list[Photo], list[Photo]]:
    if len(bundles) < FEWEST_GROUPS:
        needed = f"at least {FEWEST_GROUPS} are needed to train, validate and test; add photographs"
        raise ValueError(f"{name} has {len(bundles)} independent photographs, {needed}")
    sizes = list(accumulate(map(len, bundles)))
    test = _nearest(sizes, TEST_SHARE * sizes[-1], 1, len(bundles) - 2)
    tested = sizes[test - 1]
    val = _nearest(sizes, tested + VAL_SHARE * (sizes[-1] - tested), test + 1, len(bundles) - 1)
    return _joined(bundles[val:]), _joined(bundles[test:val]), _joined(bundles[:test])


def _nearest(sizes: list[int], wanted: float, least: int, most: int) -> int:
    """The number of leading bundles whose photographs are nearest to ``wanted``; of two, the larger."""
    return min(range(least, most + 1), key=lambda count: (abs(sizes[count - 1] - wanted), -count))


def _joined(bundles: list[list[Photo]]) -> list[Photo]:
    return [photo for bundle in bundles for photo in bundle]


def _hash(digests: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()
