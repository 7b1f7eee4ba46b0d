"""Options of the verbs that ask a network what blurs a photograph."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_asked(parser: argparse.ArgumentParser) -> None:
    """Add ``--run``, ``--weights`` and ``--linear``."""
    parser.add_argument(
        "--run", type=Path, help="directory of a finished run; without it, a network of the package is asked"
    )
    parser.add_argument(
        "--weights",
        metavar="NAME",
        help="the network that is asked: photograph, fundus (the back of the eye), a file, or https://...#SHA256; "
        "default: photograph or fundus, whichever suits a photograph",
    )
    parser.add_argument(
        "--linear", action="store_true", help="the files hold light; without it their values are those of sRGB"
    )
