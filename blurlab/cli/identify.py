"""``blurlab identify PHOTO... [--run DIR]``: what blurs photographs, without restoring them."""

from __future__ import annotations

import argparse
from pathlib import Path

from blurlab.cli.asked import add_asked
from blurlab.cli.batch import Progress, end, over_files
from blurlab.cli.files import photographs
from blurlab.cli.line import describe
from blurlab.cli.rows import Row, check_table, row_of
from blurlab.cli.verb import OneLineParser, Verb


def identify(words: list[str]) -> None:
    """Print what blurs each photograph; nothing is written but the table.

    Raises:
        ValueError: If a word is wrong.
        SystemExit: With 1, if a photograph could not be used; the others are done.
    """
    from blurlab.api import Deblurrer
    from blurlab.core.file_names import check_no_options, readable
    from blurlab.core.image_io import read_image

    check_no_options(words)
    args = _parser().parse_args(words)
    check_table(args.table)
    photos = [photo for photo, _ in photographs(args.photo)]
    tool = Deblurrer(args.run, weights=args.weights, linear=args.linear)

    def work(photo: Path, progress: Progress) -> Row:
        found = tool.identify(read_image(photo, min_side=64))
        print(f"{readable(photo)}: {describe(found)}", flush=True)
        return row_of(photo, found)

    end(over_files(photos, work, table=args.table))


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser("blurlab identify", description="Name and measure the blur of photographs.")
    parser.add_argument("photo", nargs="+", type=Path, help="photographs, folders, patterns")
    add_asked(parser)
    parser.add_argument("--table", type=Path, help="write what was found in each to a file: .csv or .jsonl")
    return parser


VERB = Verb(identify, _parser, (("identify photos/ --table blur.csv", "only name and measure what blurs photographs"),))
