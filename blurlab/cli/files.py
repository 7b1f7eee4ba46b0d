"""Which photographs a command line names, and where below the output folder each belongs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from blurlab.core.file_names import readable


def photographs(words: Iterable[Path], out: Path | None = None) -> list[tuple[Path, Path]]:
    """Files, folders and patterns as photographs.

    Of a folder all files with the ending of an image are taken, in its sub-folders too, but none whose name or folder
    begins with a dot, and none in ``out``. ``*``, ``?``, ``[`` and ``**`` make a pattern where no file has that name.

    Args:
        words: As given.
        out: The folder of the results.

    Returns:
        Each photograph, and its place below the folder that was named, or below what comes before a pattern's first
        sign; of a single file, its name.

    Raises:
        ValueError: If a folder or pattern has no photograph, or a pattern leads back up behind its first sign.
    """
    found: dict[Path, Path] = {}
    for word in words:
        if word.is_dir():
            some = [(path, path.relative_to(word)) for path in _inside(word, out)]
        elif word.exists() or not glob.has_magic(str(word)):
            some = [(word, Path(word.name))]
        else:
            some = [*_matching(word, out)]
        if not some:
            raise ValueError(f"no photograph in {readable(word)}; name a folder or a pattern with image files")
        for path, place in some:
            found.setdefault(path, place)
    return [*found.items()]


def make_folder(out: Path, targets: Iterable[Path]) -> None:
    """Make the folder of the results, where it is not there yet.

    Raises:
        PermissionError: If it cannot be made.
        ValueError: If two of the results would be one file in it.
    """
    from blurlab.core.file_names import check_apart

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermissionError(f"cannot make the folder {out} ({error.strerror}); choose another --out") from error
    check_apart(targets, out)


def kernel_places(save: Path | None, places: Mapping[Path, Path], out: Path) -> dict[Path, Path]:
    """Where the kernels are written to: one file, or for several photographs a file each in a folder of that name.

    Args:
        save: The file or folder; None: nowhere.
        places: Where each photograph's result is written to, below ``out``.
        out: The folder of the results.

    Returns:
        The kernel's file of each photograph; nothing where none are written.

    Raises:
        ValueError: If the one file's name has no ending of a kernel, or a photograph would be overwritten.

    Example:
        >>> kernel_places(Path("k"), {Path("a.png"): Path("o/a.png"), Path("b.png"): Path("o/s/b.png")}, Path("o"))
        {PosixPath('a.png'): PosixPath('k/a.png.tif'), PosixPath('b.png'): PosixPath('k/s/b.png.tif')}
    """
    from blurlab.core.kernel_file import check_suffix

    if save is None:
        return {}
    if len(places) == 1:
        check_suffix(save)
        found = {photo: save for photo in places}
    else:
        below = {photo: target.relative_to(out) for photo, target in places.items()}
        found = {photo: save / place.with_name(f"{place.name}.tif") for photo, place in below.items()}
    check_kernels(found, places)
    return found


def check_kernels(kernels: Mapping[Path, Path], places: Mapping[Path, Path]) -> None:
    """Raise where a kernel would be written over a photograph, a result or another kernel.

    Args:
        kernels: Where the kernel of each photograph is written to.
        places: Where its result is.

    Raises:
        ValueError: Naming the file.
    """
    taken = {os.path.realpath(path) for pair in places.items() for path in pair}
    for photo, kernel in kernels.items():
        place = os.path.realpath(kernel)
        if place in taken:
            raise ValueError(
                f"the kernel of {readable(photo)} would be written over {readable(kernel)}, which is a photograph, its "
                "result or another kernel; choose another --save-kernel"
            )
        taken.add(place)


def _inside(folder: Path, out: Path | None) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not (out is not None and _is_same(Path(here, name), out))
        )
        for name in sorted(names):
            if not name.startswith(".") and _is_image(Path(name)):
                yield Path(here, name)


def _matching(pattern: Path, out: Path | None) -> Iterator[tuple[Path, Path]]:
    parts = pattern.parts
    first = next(n for n, part in enumerate(parts) if glob.has_magic(part))
    if ".." in parts[first:]:
        raise ValueError(
            f"the pattern {readable(pattern)} leads out of what it matches, and its results would lie outside --out; "
            "write .. before the first sign only"
        )
    root = Path(*parts[:first])
    for name in sorted(glob.glob(str(pattern), recursive=True)):
        path = Path(name)
        inside = _inside(path, out) if path.is_dir() else [path]
        for one in inside:
            below_out = out is not None and any(_is_same(parent, out) for parent in one.parents)
            if _is_image(one) and not below_out:
                yield one, one.relative_to(root)


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _is_image(path: Path) -> bool:
    from blurlab.core.image_io import IMAGE_SUFFIXES  # not above: help needs nothing that must be installed

    return path.suffix.lower() in IMAGE_SUFFIXES
