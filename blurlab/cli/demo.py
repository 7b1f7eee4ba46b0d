"""``blurlab demo``: a page in the browser that names, measures and undoes the blur of a photograph (extra ``demo``)."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from threading import Event

from blurlab.cli.bounds import DISTRIBUTION
from blurlab.cli.verb import OneLineParser, Verb
from blurlab.run.errors import UsageError

PORTS = range(1, 65536)


def demo(words: list[str]) -> None:
    """Serve the page on 127.0.0.1 until the user stops; the process ends with 130 then.

    Raises:
        UsageError: If a word is wrong, or the extra ``demo`` is not there.
        OSError: If the port is not free.
    """
    args = _parser().parse_args(words)
    if args.port is not None and args.port not in PORTS:
        raise UsageError(f"--port must be from {PORTS[0]} to {PORTS[-1]}, got {args.port}")
    from blurlab.demo.page import served

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was uploaded is removed then, too
    try:
        with served(args.port, browser=args.browser) as address:
            print(f"the page is at {address} (Ctrl-C ends it)", flush=True)
            Event().wait()
    except KeyboardInterrupt:
        sys.stdout.flush()
        os._exit(130)  # a restoration that still runs in a thread is not waited for
    except ModuleNotFoundError as error:
        raise UsageError(
            f"demo needs the package {error.name}, which is not there; pip install '{DISTRIBUTION}[demo]'"
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        "blurlab demo",
        description="Serve a page on 127.0.0.1: drop a photograph, see what blurs it and how much, compare before and "
        "after; or blur one there and see it undone. No other machine can open it; nothing is kept.",
    )
    parser.add_argument("--port", type=int, help="of 127.0.0.1; default: the first that is free from 7860 on")
    parser.add_argument("--browser", action="store_true", help="open the page in the browser")
    return parser


VERB = Verb(demo, _parser, (("demo --browser", "a page to drop photographs on; it needs the extra demo"),))
