"""The entry point: a verb, help, or an experiment."""

from __future__ import annotations

import io
import os
import sys

from blurlab.cli import (
    blur,
    check,
    completion,
    datasets,
    deblur,
    demo,
    doctor,
    export,
    identify,
    report,
    run,
    table,
    weights,
)
from blurlab.cli.verb import Verb
from blurlab.core.version import VERSION
from blurlab.run.command.names import groups, options

VERBS: dict[str, Verb] = {
    "table": table.VERB,
    "report": report.VERB,
    "deblur": deblur.VERB,
    "identify": identify.VERB,
    "blur": blur.VERB,
    "datasets": datasets.VERB,
    "weights": weights.VERB,
    "check": check.VERB,
    "doctor": doctor.VERB,
    "export": export.VERB,
    "demo": demo.VERB,
}
VERBS["completion"] = completion.of_verbs(VERBS)

INTRODUCTION = (
    "blurlab names the blur in an image, measures it and undoes it; each figure beside the published one and the limit."
)
SETTINGS = """\
Any key can be set: dataset.strict=true  noise.sigma=.002  paths.data_dir=/photographs  budget=smoke|small|full
Without budget= it is full where a CUDA device is and small elsewhere. --cfg job shows the configuration.
"""


WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""Variables by which a user says how threads of OpenMP wait for each other."""


def wait_without_work() -> None:
    """Let threads that wait for each other sleep, where the user has not chosen and torch is not loaded yet.

    By default they ask again and again whether the others are ready, and so take the cores from them where other
    programs run beside.
    """
    if "torch" not in sys.modules and not any(name in os.environ for name in WAITING):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def main(argv: list[str] | None = None) -> None:
    """Entry point; exits with 0, with 1 for files that could not be used, 2 for a user's error, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show ends no run
    try:
        if words and words[0] in VERBS:
            wait_without_work()
            VERBS[words[0]].run(words[1:])
        elif not words or {"--help", "-h"} & {*words}:
            print(help_text())
        elif "--version" in words:
            print(f"blurlab {VERSION}")
        else:
            run.run(words, VERBS)
    except BrokenPipeError:  # who reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (ValueError, OSError) as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def help_text() -> str:
    """The help, with every group's members read from conf/; imports nothing heavy."""
    examples = [*run.EXAMPLES, *(example for verb in VERBS.values() for example in verb.examples)]
    uses = [f"  {f'python -m blurlab {words}':<53}  {what}".rstrip() for words, what in examples]
    width = max(len(group) for group in groups())
    members = [f"  {group:<{width}}  {', '.join(options(group))}" for group in groups()]
    return "\n".join([INTRODUCTION, *uses, "", SETTINGS, "groups and their members:", *members])
