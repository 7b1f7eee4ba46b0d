"""``blurlab deblur PHOTO... [--run DIR]``: identify the blur of photographs and restore them."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurlab.cli.asked import add_asked
from blurlab.cli.batch import Progress, deblurred, end
from blurlab.cli.files import kernel_places, make_folder, photographs
from blurlab.cli.journal import Journal
from blurlab.cli.line import verdict
from blurlab.cli.microscope import add_options, check_options, restore_stacks
from blurlab.cli.rows import Row, check_table, row_of
from blurlab.cli.verb import OneLineParser, Verb
from blurlab.methods import AUTO, LEARNED, METHODS, named

if TYPE_CHECKING:
    import numpy as np

    from blurlab.api import Deblurrer
    from blurlab.report.photographs import Shown


PAGE = "before_after.html"
"""Name of the page in ``--out``."""


def deblur(words: list[str]) -> None:
    """Restore photographs into ``--out``, one after the other, and print what was found in each.

    Raises:
        ValueError: If a word is wrong, or two photographs would be written to one file.
        SystemExit: With 1, if a photograph could not be used; the others are done.
    """
    from blurlab.api import Deblurrer
    from blurlab.core.blend import check_strength
    from blurlab.core.checks import check_sigma
    from blurlab.core.file_names import check_no_options, readable, targets
    from blurlab.core.image_io import read_image
    from blurlab.core.kernel_file import read_kernel
    from blurlab.report.photographs import write_photographs

    check_no_options(words)
    args = _parser().parse_args(words)
    check_strength(args.strength)
    check_table(args.table)
    if args.sigma is not None:
        check_sigma(args.sigma)
    check_options(args)
    if args.psf is not None:
        restore_stacks(args, words)
        return
    photos = photographs(args.photo, args.out)
    sources = targets(photos, args.out)
    places = {photo: target for target, photo in sources.items()}
    kernels = kernel_places(args.save_kernel, places, args.out)
    longest = math.inf if args.max_length is None else args.max_length
    tool = Deblurrer(
        args.run, args.tile, named(args.method), weights=args.weights, linear=args.linear, max_length_px=longest
    )
    kernel = None if args.kernel is None else read_kernel(args.kernel)
    mask = None if args.mask is None else read_image(args.mask).mean(axis=2)
    make_folder(args.out, sources)
    journal = Journal(args.out, _options(args, kernel, mask))
    journal.check_free(sources)
    pages: list[Shown] | None = [] if args.page else None
    each = Restoration(tool, places, tool.sigma(args.sigma), args.strength, kernel, mask, kernels, pages)
    rows = deblurred(places, each, journal, words, resume=args.resume, table=args.table, kernels=kernels)
    if pages:
        print(f"page: {readable(write_photographs(pages, args.out / PAGE))}")
    if pages is not None and (before := sum(not row.error for row in rows) - len(pages)):
        print(f"not on the page: {before} photographs that were done before; without --resume all are", file=sys.stderr)
    end(rows)


@dataclass(frozen=True)
class Restoration:
    """What is done with each photograph.

    Attributes:
        tool: Identifies and restores.
        places: Where each photograph is written to.
        sigma: Noise to restore with; None where it is measured.
        strength: Share of the restoration in the result.
        kernel: The kernel (k, l) where it is known; None where the photograph tells it.
        mask: (H, W) in [0, 1], 1 where to restore; None is everywhere.
        kernels: Where the kernel of each photograph is written to; nowhere where it has none.
        pages: Filled with what a page shows of each; None where there is no page.
    """

    tool: Deblurrer
    places: Mapping[Path, Path]
    sigma: float | None = None
    strength: float = 1.0
    kernel: np.ndarray | None = None
    mask: np.ndarray | None = None
    kernels: Mapping[Path, Path] = field(default_factory=dict)
    pages: list[Shown] | None = None

    def __call__(self, photo: Path, progress: Progress) -> Row:
        """Restore a photograph, write it, say so, and return its row."""
        import numpy as np

        from blurlab.core.blend import blended, check_mask, unchanged
        from blurlab.core.file_names import readable
        from blurlab.core.image_alike import copy_whole, write_alike
        from blurlab.core.image_io import read_scaled
        from blurlab.core.kernel_file import write_kernel
        from blurlab.report.photographs import shown

        target, read = self.places[photo], read_scaled(photo, min_side=64)
        if self.mask is not None:
            check_mask(self.mask, read.pixels.shape)
        if self.kernel is None:
            restored, found = self.tool.deblur(read.pixels, self.sigma, progress)
        else:
            restored, found = self.tool.undo(read.pixels, self.kernel, self.sigma, progress)
        result = blended(read.pixels, restored, self.strength, self.mask)
        changed = not np.array_equal(result, read.pixels)
        reason = "" if changed else found.reason or unchanged(self.strength, self.mask)
        row = replace(row_of(photo, found), output=readable(target), restored=changed, reason=reason)
        target.parent.mkdir(parents=True, exist_ok=True)
        told = [str(read.scale)] if read.scale.is_deep else []
        if changed:
            told += filter(None, [write_alike(target, result, photo, read)])
        else:
            copy_whole(photo, target)
        if photo in self.kernels and not found.reason:
            write_kernel(self.kernels[photo], found.psf)
        more = f" ({'; '.join(told)})" if told else ""
        print(f"{readable(photo)}: {verdict(found, reason)} -> {readable(target)}{more}", flush=True)
        if self.pages is not None:
            before, after = (self.tool.as_values(one) for one in (read.pixels, result))
            self.pages.append(shown(readable(photo.name), verdict(found, reason), before, after, found.psf))
        return row


def _options(args: argparse.Namespace, kernel: np.ndarray | None, mask: np.ndarray | None) -> dict[str, Any]:
    """What results depend on besides the photographs."""
    from blurlab.core.version import VERSION

    run = None if args.run is None else str(args.run.absolute())
    arrays = {"kernel": kernel, "mask": mask}
    known = {name: None if one is None else sha256(one.tobytes()).hexdigest() for name, one in arrays.items()}
    given = {name: getattr(args, name) for name in ("weights", "method", "sigma", "strength", "linear", "max_length")}
    return {"version": VERSION, "run": run, **given, **known}


def _parser() -> argparse.ArgumentParser:
    from blurlab.api import TILE

    parser = OneLineParser(
        "blurlab deblur",
        description="Identify the blur of photographs and restore them, each in the format that it came in. What is "
        "not restored is copied. Ends with 1 if a file could not be used; the others are done.",
    )
    parser.add_argument(
        "photo", nargs="+", type=Path, help="photographs, folders (with sub-folders, whose structure is kept), patterns"
    )
    add_asked(parser)
    parser.add_argument(
        "-o", "--out", default=Path("deblurred"), type=Path, help="folder of the results; default: deblurred"
    )
    parser.add_argument("--resume", action="store_true", help="leave out what is done in OUT with the same options")
    parser.add_argument("--table", type=Path, help="write what was found in each to a file: .csv or .jsonl")
    parser.add_argument("--sigma", type=float, help="noise on the [0, 1] scale; default: the run's, or the image's")
    parser.add_argument(
        "--max-length", type=float, metavar="PX", help="leave blurs longer than this as they are; default: none"
    )
    parser.add_argument(
        "--method",
        default=AUTO,
        choices=[AUTO, *METHODS],
        help=f"the deconvolver, of which {' and '.join(LEARNED)} are networks; default: auto, total variation",
    )
    parser.add_argument("--strength", default=1.0, type=float, help="from 0, as it came, to 1, restored; default: 1")
    parser.add_argument("--mask", type=Path, help="image of the size of the photographs, white where to restore")
    parser.add_argument("--kernel", type=Path, help="undo this kernel (.tif, .png, .npy) and identify nothing")
    parser.add_argument(
        "--save-kernel", type=Path, help="write the kernel undone (.tif, .png, .npy); of several photographs a folder"
    )
    parser.add_argument(
        "--page",
        action="store_true",
        help=f"write OUT/{PAGE} too: each photograph of this call before and after, kernel, reasons",
    )
    parser.add_argument(
        "--tile", default=TILE, type=int, help=f"restore larger photographs in tiles of this side, px; default: {TILE}"
    )
    add_options(parser)
    return parser


VERB = Verb(
    deblur,
    _parser,
    (
        ("deblur photo.png", "identify the blur of a photograph and restore it; nothing to train"),
        ("deblur photos/ -o out --table out.csv", "... of a folder and its sub-folders, and a table; --resume goes on"),
        ("deblur *.jpg --page", "... and a page with each before and after, its kernel and the reasons"),
        ("deblur photo.png --run runs/<...>", "... with the networks of a run"),
        ("deblur cells.tif --psf zernike --na 1.4 --wavelength 520 --pixel 65", "a microscope's stacks"),
    ),
)
