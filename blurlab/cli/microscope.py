"""``blurlab deblur cells.tif --psf zernike ...``: pictures and stacks of a microscope whose objective is known."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Mapping
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
OPTICS = ("na", "wavelength", "pixel", "index", "field", "channel")
"""Options that say something of the objective."""
OTHERS = ("run", "weights", "kernel", "mask", "page", "linear")
"""Options of photographs, which an objective does not go with."""
KERNEL_SUFFIX = ".psf.tif"
ENDING = re.compile(r"(\.ome)?\.[^.]*$", re.IGNORECASE)
"""Of a file's name, which that of its kernels does not have."""
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
    group.add_argument(
        "--field", choices=["global", "tiles"], help="one kernel a plane, or one that changes over it; default: global"
    )
    group.add_argument("--channel", type=int, help="which channel of several, from 1")


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
    from blurlab.pipeline.microscope import Microscope

    index = OIL if args.index is None else args.index
    if check:
        Optics(args.na, args.wavelength, pixel_nm, index)
        return None
    return Microscope(
        na=args.na, wavelength_nm=args.wavelength, pixel_nm=pixel_nm, refractive_index=index,
        by_tiles=args.field == "tiles", tile=args.tile,
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
    restored, found = restored_planes(tool, stack, args.sigma, args.strength, progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    kernels.parent.mkdir(parents=True, exist_ok=True)
    write_stack(target, with_pixel(stack, pixel), restored)
    write_kernels(kernels, np.stack([one.kernels.numpy() for one in found]), pixel)
    middle = found[len(found) // 2]
    print(f"{readable(photo)}: {in_words(args, stack, pixel, middle)} -> {readable(target)}, {readable(kernels)}")
    told = tuple((name, value, value - half, value + half) for name, (value, half) in middle.parameters.items())
    return Row(
        readable(photo), readable(target), "zernike", parameters=told, sigma=middle.sigma, restored=args.strength > 0,
        seconds=time.perf_counter() - start,
    )  # fmt: skip


def restored_planes(
    tool: Microscope, stack: Stack, sigma: float | None, strength: float, progress: Callable[[float], None]
) -> tuple[NDArray[Any], list[Plane]]:
    """The planes (n, H, W) in the file's samples, float64, and what was found in each.

    A plane's samples from the stack's least to its largest are brought to [0, 1] and back.
    """
    import numpy as np
    import torch

    low, high = float(stack.planes.min()), float(stack.planes.max())
    done, found = [], []
    for number, plane in enumerate(stack.planes):
        y = torch.from_numpy(((plane.astype(np.float64) - low) / (high - low)).astype(np.float32))[None, None]
        share = number / len(stack.planes)
        image, seen = tool(y, sigma, lambda part, share=share: progress(share + part / len(stack.planes)))  # type: ignore[misc]
        found.append(seen)
        mixed = (1 - strength) * y + strength * image
        done.append(low + (high - low) * mixed[0, 0].double().numpy())
    return np.stack(done), found


def in_words(args: argparse.Namespace, stack: Stack, pixel: float, middle: Plane) -> str:
    """What was found, in one line."""
    planes = len(stack.planes)
    size = "{}x{}".format(*stack.planes.shape[-2:])
    what = f"{planes} planes of {size}" if planes > 1 else size
    said = "the file's" if args.pixel is None else "as given"
    if args.pixel is not None and stack.pixel_nm is not None and abs(pixel / stack.pixel_nm - 1) > SAME:
        said = f"as given, the file says {stack.pixel_nm:g} nm"
    values = ", ".join(f"{name.removesuffix('_waves')} {v:.3f}+-{h:.3f}" for name, (v, h) in middle.parameters.items())
    of = " of the middle plane" if planes > 1 else ""
    return f"zernike, {what}, pixels of {pixel:g} nm ({said}); waves{of}: {values}; noise {middle.sigma:.4f}"
