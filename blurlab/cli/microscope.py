"""``blurlab deblur cells.tif --psf zernike ...``: pictures and stacks of a microscope whose objective is known."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurlab.cli.batch import deblurred, end
from blurlab.cli.files import check_kernels, make_folder, photographs
from blurlab.cli.journal import Journal
from blurlab.cli.rows import Row, check_table
from blurlab.core.file_names import readable, targets
from blurlab.core.version import VERSION
from blurlab.methods import AUTO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from blurlab.core.stack_file import Stack
    from blurlab.pipeline.microscope import Microscope, Plane

OIL = 1.51
OPTICS = ("na", "wavelength", "pixel", "index", "noll", "waves", "field", "channel")
"""Options that say something of the objective."""
OTHERS = ("run", "weights", "kernel", "mask", "page", "linear")
"""Options of photographs, which an objective does not go with."""
KERNEL_SUFFIX = ".psf.tif"
ENDING = re.compile(r"(\.ome)?\.[^.]*$", re.IGNORECASE)
"""Of a file's name, which that of its kernels does not have."""
FIRST, LAST, MOST_WAVES = 4, 22, 0.5
"""Noll's indices that may be asked for, and the largest coefficient in waves."""
AT_END = 0.97
"""From this share of the largest coefficient on, a coefficient is said to lie at the end of what was looked for."""
DOUBTFUL = 0.1
"""Probability of the other way round from which on it is said."""
SAME = 0.01
"""Share by which the pixel that was given may differ from the file's without a word."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a microscope's objective."""
    group = parser.add_argument_group("images of a microscope, 16-bit TIFF and OME-TIFF, stacks plane by plane")
    group.add_argument("--psf", choices=["zernike"], help="look for the aberrations of an objective")
    group.add_argument("--na", type=float, help="its numerical aperture")
    group.add_argument("--wavelength", type=float, help="of the light, nanometres")
    group.add_argument("--pixel", type=float, help="side of a pixel in the specimen, nanometres; default: the file's")
    group.add_argument("--index", type=float, help=f"refractive index before the objective; default: {OIL}, oil")
    group.add_argument("--noll", type=noll, help="polynomials, by Noll's indices from 4: 4-11, 4,7,11; default: 4-10")
    group.add_argument("--waves", type=float, help="largest coefficient looked for, waves rms; default: 0.15")
    group.add_argument(
        "--field", choices=["global", "tiles"],
        help="one kernel a plane, or one that changes over it (no better than one on drawn fields); default: global",
    )  # fmt: skip
    group.add_argument("--channel", type=int, help="which channel of several, from 1")


def noll(text: str) -> tuple[int, ...]:
    """Noll's indices from words.

    Raises:
        argparse.ArgumentTypeError: If they are none.

    Example:
        >>> noll("4-7,11")
        (4, 5, 6, 7, 11)
    """
    found: list[int] = []
    for part in text.split(","):
        ends = part.split("-")
        if not 1 <= len(ends) <= 2 or not all(end.strip().isdecimal() for end in ends):
            raise argparse.ArgumentTypeError(f"must be Noll's indices such as 4-11 or 4,7,11, got {text!r}")
        found += range(int(ends[0]), int(ends[-1]) + 1)
    return tuple(found)


def check_options(args: argparse.Namespace) -> None:
    """Raise where the options of an objective lack one another, or stand beside those of photographs.

    Raises:
        ValueError: Naming the option.
    """
    if args.psf is None:
        given = [name for name in OPTICS if getattr(args, name) is not None]
        if given:
            raise ValueError(f"--{given[0]} says something of an objective; add --psf zernike")
        return
    lacking = [name for name in ("na", "wavelength") if getattr(args, name) is None]
    if lacking:
        raise ValueError(f"--psf zernike needs --{lacking[0]}; for instance --na 1.4 --wavelength 520 --pixel 65")
    wrong = [name for name in OTHERS if getattr(args, name)] + ["method"] * (args.method != AUTO)
    if wrong:
        raise ValueError(f"--{wrong[0]} does not go with --psf zernike; leave one of them out")
    if args.save_kernel is not None and args.save_kernel.suffix.lower() not in (".tif", ".tiff"):
        raise ValueError(f"--save-kernel {readable(args.save_kernel)}: of --psf zernike it must end in .tif")
    make_tool(args, 1.0 if args.pixel is None else args.pixel, check=True)


def make_tool(args: argparse.Namespace, pixel_nm: float, *, check: bool = False) -> Microscope | None:
    """What looks for the aberrations, with pixels of this side; None where only the options are to be checked.

    Raises:
        ValueError: If the optics are wrong.
    """
    from blurlab.blur import Optics
    from blurlab.pipeline.microscope import INDICES, WAVES, Microscope
    from blurlab.run.command.member import member
    from blurlab.run.setup.build import build

    index = OIL if args.index is None else args.index
    waves, indices = WAVES if args.waves is None else args.waves, args.noll or INDICES
    if not 0 < waves <= MOST_WAVES:
        raise ValueError(f"--waves must be above 0 and at most {MOST_WAVES:g}, got {waves:g}")
    if min(indices) < FIRST or max(indices) > LAST or len(set(indices)) < len(indices):
        raise ValueError(
            f"--noll must be different indices from {FIRST} (defocus) to {LAST}, got {', '.join(map(str, indices))}"
        )
    if check:
        Optics(args.na, args.wavelength, pixel_nm, index)
        return None
    return Microscope(
        na=args.na, wavelength_nm=args.wavelength, pixel_nm=pixel_nm, refractive_index=index,
        by_tiles=args.field == "tiles", tile=args.tile, waves=waves, indices=indices,
        fit=lambda family: build(member("pipeline", "aberrations"), family),
    )  # fmt: skip


def restore_stacks(args: argparse.Namespace, words: list[str]) -> None:
    """Restore the images that a command names, and print what was found in each.

    Raises:
        ValueError: If two would be written to one file.
        SystemExit: With 1, if an image could not be used; the others are done.
    """
    check_table(args.table)
    sources = targets(photographs(args.photo, args.out), args.out)
    places = {photo: target for target, photo in sources.items()}
    kernels = kernel_files(args.save_kernel, places, args.out)
    make_folder(args.out, sources)
    names = ("psf", *OPTICS, "sigma", "strength", "tile")
    journal = Journal(args.out, {"version": VERSION, **{name: getattr(args, name) for name in names}})
    journal.check_free(sources)
    rows = deblurred(
        places,
        lambda photo, progress: restore_stack(args, photo, places[photo], kernels[photo], progress),
        journal,
        words,
        resume=args.resume,
        table=args.table,
        kernels=kernels,
    )
    end(rows)


def kernel_files(save: Path | None, places: Mapping[Path, Path], out: Path) -> dict[Path, Path]:
    """Where the kernels of each file are written to: beside its result, or as ``save`` says.

    Args:
        save: A file; for several photographs the folder of that name without its ending; None: beside the results.
        places: Where each photograph's result is written to, below ``out``.
        out: The folder of the results.

    Raises:
        ValueError: If a photograph, a result or other kernels would be overwritten.

    Example:
        >>> kernel_files(None, {Path("a.1.ome.tif"): Path("o/s/a.1.ome.tif")}, Path("o"))
        {PosixPath('a.1.ome.tif'): PosixPath('o/s/a.1.psf.tif')}
    """
    folder = out if save is None else save.with_suffix("")
    found = {
        photo: folder / (place := target.relative_to(out)).with_name(ENDING.sub("", place.name) + KERNEL_SUFFIX)
        for photo, target in places.items()
    }
    if save is not None and len(places) == 1:
        found = {photo: save for photo in places}
    check_kernels(found, places)
    return found


def restore_stack(
    args: argparse.Namespace, photo: Path, target: Path, kernels: Path, progress: Callable[[float], None]
) -> Row:
    """Restore the planes of one file, write them and their kernels, say so, and return its row.

    Args:
        args: The command's.
        photo: The file.
        target: Where the planes are written to.
        kernels: Where their kernels are.
        progress: Told the share that is done.

    Raises:
        ValueError: If the file cannot be used, or does not say its pixel's size where none was given.
    """
    import numpy as np

    from blurlab.core.stack_file import read_stack, with_pixel, write_kernels, write_stack

    stack, start = read_stack(photo, args.channel), time.perf_counter()
    pixel = stack.pixel_nm if args.pixel is None else args.pixel
    if pixel is None:
        raise ValueError(f"{readable(photo)} does not say the size of its pixels; give it by --pixel, in nanometres")
    tool = make_tool(args, pixel)
    assert tool is not None
    restored, found, hot = restored_planes(tool, stack, args.sigma, args.strength, progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    kernels.parent.mkdir(parents=True, exist_ok=True)
    write_stack(target, with_pixel(stack, pixel), restored)
    write_kernels(kernels, np.stack([one.kernels.numpy() for one in found]), pixel)
    said = in_words(args, stack, pixel, found, hot)
    print(f"{readable(photo)}: {said} -> {readable(target)}, {readable(kernels)}")
    shown = shown_of(found)
    told = tuple((name, value, value - half, value + half) for name, (value, half) in shown.parameters.items())
    return Row(
        readable(photo), readable(target), "cannot tell" if shown.doubt else "zernike", parameters=told,
        sigma=shown.sigma, restored=args.strength > 0 and not shown.doubt, seconds=time.perf_counter() - start,
    )  # fmt: skip


def restored_planes(
    tool: Microscope, stack: Stack, sigma: float | None, strength: float, progress: Callable[[float], None]
) -> tuple[NDArray[Any], list[Plane], int]:
    """The planes (n, H, W) in the file's samples, float64, what was found in each, and how many pixels were hot.

    A plane's samples from the stack's least to its largest, hot pixels apart, are brought to [0, 1] and back.
    """
    import numpy as np
    import torch

    from blurlab.pipeline.microscope import without_hot_pixels

    cleaned = [without_hot_pixels(torch.from_numpy(plane.astype(np.float64))[None, None]) for plane in stack.planes]
    low, high = (float(end) for end in torch.stack([plane for plane, _ in cleaned]).aminmax())
    scale = high - low or 1.0
    done, found = [], []
    for number, (plane, _) in enumerate(cleaned):
        y = ((plane - low) / scale).float()
        share = number / len(cleaned)
        image, seen = tool(y, sigma, lambda part, share=share: progress(share + part / len(cleaned)))  # type: ignore[misc]
        found.append(seen)
        if seen.doubt:
            done.append(stack.planes[number].astype(np.float64))
            continue
        mixed = (1 - strength) * y + strength * image
        done.append(low + scale * mixed[0, 0].double().numpy())
    return np.stack(done), found, sum(int(hot.sum()) for _, hot in cleaned)


def shown_of(found: Sequence[Plane]) -> Plane:
    """The middle one of the planes of which something is told, or the middle one where nothing is told of any."""
    some = [plane for plane in found if not plane.doubt] or list(found)
    return some[len(some) // 2]


def in_words(args: argparse.Namespace, stack: Stack, pixel: float, found: Sequence[Plane], hot: int) -> str:
    """What was found, in one line."""
    from blurlab.pipeline.microscope import WAVES

    planes, shown = len(stack.planes), shown_of(found)
    size = "{}x{}".format(*stack.planes.shape[-2:])
    what = f"{planes} planes of {size}" if planes > 1 else size
    said = "the file's" if args.pixel is None else "as given"
    if args.pixel is not None and stack.pixel_nm is not None and abs(pixel / stack.pixel_nm - 1) > SAME:
        said = f"as given, the file says {stack.pixel_nm:g} nm"
    parts = [f"zernike, {what}, pixels of {pixel:g} nm ({said})"]
    if not shown.doubt:
        largest = AT_END * (WAVES if args.waves is None else args.waves)
        of = " of the middle plane" if planes > 1 else ""
        values = ", ".join(
            f"{name.removesuffix('_waves')} {value:.3f}+-{half:.3f}"
            + (" (the most looked for)" if name.startswith("noll") and abs(value) > largest else "")
            for name, (value, half) in shown.parameters.items()
        )
        parts.append(f"waves{of}, 90 %: {values}")
        if shown.turned > DOUBTFUL:
            parts.append(f"the other way round with probability {shown.turned:.2f}")
        parts.append(f"noise {shown.sigma:.4f} of the range of the samples")
    if hot:
        parts.append(f"{hot} hot or dead pixels replaced")
    for number, plane in enumerate(found, 1):
        if plane.doubt:
            which = f"plane {number} of {planes}" if planes > 1 else "cannot tell"
            parts.append(f"{which}: {plane.doubt}; left as it is")
    return "; ".join(parts)
