"""The command: ``python -m blurlab [+experiment=NAME] [GROUP=MEMBER] [KEY=VALUE] [-m]`` and a few words besides."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

from blurlab.run.command.compose import check, conf_dir, groups, options, with_budget, with_resume
from blurlab.run.command.seeds import with_seeds
from blurlab.run.errors import UsageError, nearest

HELP = """\
blurlab names the blur in an image, measures it and undoes it; each figure beside the published one and the limit.

  python -m blurlab +experiment=messidor_hier            the main job: type -> strength -> kernel -> restored image
  python -m blurlab -m +experiment=messidor_binary blur.taps=20,10,3      a sweep, one table
  python -m blurlab +experiment=messidor_binary seeds=5  the seeds 0 to 4, and a table over them
  python -m blurlab run.resume=runs/<experiment>/<date>  go on with a run that was stopped
  python -m blurlab table messidor_hier                  published | ours | limit, from the records kept
  python -m blurlab report                               remake REPORT.md of every paper, and experiments/index.csv
  python -m blurlab deblur photo.png                     identify the blur of a photograph and restore it, untrained
  python -m blurlab deblur photo.png --run runs/<...>    ... with the networks of a run

Any key can be set: dataset.strict=true  noise.sigma=.002  paths.data_dir=/photographs  budget=smoke|small|full
Without budget= it is full where a CUDA device is and small elsewhere. --cfg job shows the configuration.
"""


TAKE_A_WORD = ("--cfg", "-c", "--package", "-p", "--config-dir", "-cd", "--config-path", "-cp", "--config-name", "-cn")
"""Flags of Hydra's that a word follows."""


def main(argv: list[str] | None = None) -> None:
    """Entry point; exits with 0, 2 for a user's error, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show ends no run
    try:
        if words and words[0] in COMMANDS:
            COMMANDS[words[0]](words[1:])
        elif not words or asks_help(words):
            print(help_text())
        else:
            run_hydra(words)
    except (UsageError, ValueError, OSError) as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def asks_help(words: list[str]) -> bool:
    """Is help asked for?"""
    return "--help" in words or "-h" in words


def help_text() -> str:
    """The help, with every group's members read from conf/; imports nothing heavy."""
    width = max(len(group) for group in groups())
    lines = [f"  {group:<{width}}  {', '.join(options(group))}" for group in groups()]
    return HELP + "\ngroups and their members:\n" + "\n".join(lines)


def run_hydra(words: list[str]) -> None:
    """Check the command line, then hand it to Hydra; after a sweep print its table."""
    flags, overrides = split_flags(words)
    bad = [word for word in overrides if "=" not in word and not word.startswith("~")]
    if bad:
        raise UsageError(f"unknown word '{bad[0]}'{nearest(bad[0], COMMANDS)}; a setting is written KEY=VALUE")
    overrides = with_seeds(with_resume(overrides))
    overrides, why = with_budget(overrides)
    named = [place for place, flag in enumerate(flags) if flag in ("--config-dir", "-cd")]
    if named and len(flags) <= named[0] + 1:
        raise UsageError("--config-dir needs a folder")
    if any(word.startswith("seeds=") for word in words):
        flags = [*flags, "--multirun"]
    sweep = bool({"-m", "--multirun"} & {*flags})
    jobs = check(overrides, flags[named[0] + 1] if named else None, sweep)
    if len(jobs) > 1 and not sweep:
        raise UsageError(f"these words make {len(jobs)} jobs; add -m to run them one after the other")
    if why:
        print(f"{overrides[-1]} ({why}); set budget=smoke, small or full to choose", file=sys.stderr)
    sys.argv = [sys.argv[0], *flags, *overrides]

    import hydra

    from blurlab.run.command.job import job
    from blurlab.run.command.sweep import finished, print_sweep

    hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="run")(job)()
    for folder in finished:
        print_sweep(folder, len(jobs))


def split_flags(words: list[str]) -> tuple[list[str], list[str]]:
    """Hydra's flags with their values, and the rest.

    Example:
        >>> split_flags(["-m", "--cfg", "job", "blur=motion"])
        (['-m', '--cfg', 'job'], ['blur=motion'])
    """
    flags: list[str] = []
    overrides: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        flag = word.startswith("-") or before in TAKE_A_WORD or (before in ("--info", "-i") and "=" not in word)
        (flags if flag else overrides).append(word)
    return flags, overrides


def table(words: list[str]) -> None:
    """``table NAME``: published | ours | limit of every record of an experiment."""
    if asks_help(words):
        print(
            f"blurlab table NAME: published | ours | limit, from the records; NAME: {', '.join(options('experiment'))}"
        )
        return
    from rich.console import Console

    from blurlab.report import load_record, terminal_tables

    if not words:
        raise UsageError(f"which table? one of {', '.join(options('experiment'))}")
    if words[0] not in options("experiment"):
        raise UsageError(f"unknown experiment '{words[0]}'{nearest(words[0], options('experiment'))}")
    if len(words) > 1:
        raise UsageError(f"one table at a time, got also '{words[1]}'")
    paths = sorted(Path("experiments").glob(f"*/results/*/{words[0]}*.json"))
    if not paths:
        raise UsageError(
            f"no record of {words[0]} under experiments/; make one with +experiment={words[0]} run.keep=true"
        )
    for path in paths:
        for shown in terminal_tables(load_record(path)):
            Console().print(shown)


def report(words: list[str]) -> None:
    """``report``: remake every paper's REPORT.md and the index of records."""
    if asks_help(words):
        print("blurlab report [FOLDER]: remake each paper's REPORT.md and index.csv under FOLDER; default: experiments")
        return
    from blurlab.report import write_index, write_report_md

    folder = Path(words[0]) if words else Path("experiments")
    papers = sorted(path.parent for path in folder.glob("*/published.csv"))
    if not papers:
        raise UsageError(f"no experiments/<paper>/published.csv under {folder}; run this at the top of a checkout")
    for paper in papers:
        print(write_report_md(paper))
    print(write_index(folder))


def deblur(words: list[str]) -> None:
    """``deblur PHOTO... [--run DIR] [--out DIR] [--sigma S]``."""
    from blurlab.api import deblur_files

    deblur_files(words)


COMMANDS: dict[str, Callable[[list[str]], None]] = {"table": table, "report": report, "deblur": deblur}
