"""``blurlab deblur PHOTO... [--run DIR]``: identify the blur of photographs and restore them."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from blurlab.cli.verb import OneLineParser, Verb

if TYPE_CHECKING:
    from blurlab.api import Found


PAGE = "before_after.html"
"""Name of the page in ``--out``."""


def deblur(words: list[str]) -> None:
    """Restore photographs into ``--out`` and print what was found in each.

    Raises:
        ValueError: If a word is wrong, a photograph cannot be read, or two would be written to one file.
    """
    from blurlab.api import Deblurrer
    from blurlab.core.checks import check_sigma
    from blurlab.core.file_names import check_apart, check_no_options, png_targets, readable
    from blurlab.core.image_io import read_scaled, write_image
    from blurlab.report.photographs import Shown, shown, write_photographs

    check_no_options(words)
    args = _parser().parse_args(words)
    if args.sigma is not None:
        check_sigma(args.sigma)
    targets = png_targets(args.photo, args.out)
    tool = Deblurrer(args.run, args.tile)
    sigma = tool.sigma(args.sigma)
    images = {target: read_scaled(path, min_side=64) for target, path in targets.items()}
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermissionError(f"cannot make the folder {args.out} ({error.strerror}); choose another --out") from error
    check_apart(targets, args.out)
    pages: list[Shown] = []
    for target, path in targets.items():
        image, scale = images[target].pixels, images[target].scale
        with progress_bar(readable(path.name)) as progress:
            restored, found = tool.deblur(image, sigma, progress)
        write_image(target, restored, scale.written_white)
        deep = f" ({scale})" if scale.is_deep else ""
        print(f"{readable(path)}: {describe(found)} -> {readable(target)}{deep}")
        if args.page:
            pages.append(shown(readable(path.name), describe(found), image, restored, found.psf))
    if args.page:
        print(f"page: {readable(write_photographs(pages, args.out / PAGE))}")


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal's error stream from the first share that is done, which is gone at the end."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(title), total=1.0, visible=False)
        yield lambda done: bar.update(task, completed=done, visible=True)


def describe(found: Found) -> str:
    """What was found, in one line.

    Example:
        >>> import numpy as np
        >>> from blurlab.api import Found
        >>> describe(Found("motion", 0.9, 6.0, (5.5, 6.25), 5.8, np.ones((1, 1))))
        'motion 6.00 px (90 % interval 5.50 to 6.25), probability 0.900, kernel of 5.80 px'
        >>> describe(Found("motion", 0.9, 6.0, (5.5, 6.25), 5.8, np.ones((1, 1)), angle_deg=37.0))
        'motion 6.00 px at 37.0 deg (90 % interval 5.50 to 6.25), probability 0.900, kernel of 5.80 px'
        >>> describe(Found("gaussian_correlated", 0.9, math.nan, (math.nan, math.nan), 0.0, np.ones((1, 1))))
        'gaussian_correlated, probability 0.900'
        >>> describe(Found("shake", 0.7, 40.0, (math.nan, math.nan), 40.0, np.ones((1, 1)), undone=False))
        'shake 40.00 px, probability 0.700, not known well enough to gain by undoing it, so it is left as it came'
        >>> describe(Found("none", 0.9, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1))))
        'none, probability 0.900'
        >>> describe(Found("none", 0.25, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1)), can_tell=False))
        'cannot tell how it is blurred, so it is left as it came'
        >>> describe(Found("kernel", math.nan, math.nan, (math.nan, math.nan), math.nan, np.ones((25, 25))))
        'a kernel of 25x25 px'
    """
    low, high = found.interval_px
    if not found.can_tell:
        return "cannot tell how it is blurred, so it is left as it came"
    if found.kind == "kernel":
        return "a kernel of {}x{} px".format(*found.psf.shape)
    sure = f"probability {found.probability:.3f}"
    if found.kind == "none":
        return f"{found.kind}, {sure}"
    turned = "" if math.isnan(found.angle_deg) else f" at {found.angle_deg:.1f} deg"
    ends = "" if math.isnan(low) else f" (90 % interval {low:.2f} to {high:.2f})"
    size = "" if math.isnan(found.strength_px) else f" {found.strength_px:.2f} px{turned}{ends}"
    if not found.undone:
        return f"{found.kind}{size}, {sure}, not known well enough to gain by undoing it, so it is left as it came"
    kernel = "" if math.isnan(found.strength_px) else f", kernel of {found.kernel_px:.2f} px"
    return f"{found.kind}{size}, {sure}{kernel}"


def _parser() -> argparse.ArgumentParser:
    from blurlab.api import TILE

    parser = OneLineParser("blurlab deblur", description="Identify the blur of photographs and restore them.")
    parser.add_argument("photo", nargs="+", type=Path, help="photographs, each restored to OUT/<its name>.png")
    parser.add_argument(
        "--run", type=Path, help="directory of a finished run; without it, the package's own network is asked"
    )
    parser.add_argument("--out", default=Path("deblurred"), type=Path, help="folder of the results; default: deblurred")
    parser.add_argument("--sigma", type=float, help="noise on the [0, 1] scale; default: the run's, or the image's")
    parser.add_argument(
        "--page", action="store_true", help=f"write OUT/{PAGE} too: each photograph before and after, kernel, reasons"
    )
    parser.add_argument(
        "--tile", default=TILE, type=int, help=f"restore larger photographs in tiles of this side, px; default: {TILE}"
    )
    return parser


VERB = Verb(
    deblur,
    (
        ("deblur photo.png", "identify the blur of a photograph and restore it; nothing to train"),
        ("deblur *.jpg --page", "... and a page with each before and after, its kernel and the reasons"),
        ("deblur photo.png --run runs/<...>", "... with the networks of a run"),
    ),
)
