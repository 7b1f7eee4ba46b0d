"""An experiment from Hydra's words: ``blurlab [+experiment=NAME] [GROUP=MEMBER] [KEY=VALUE] [-m]``."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from blurlab.run.command.compose import check_jobs, count_jobs, is_search, with_budget
from blurlab.run.command.names import conf_dir, options
from blurlab.run.command.resume import GO_ON, with_resume
from blurlab.run.command.seeds import with_seeds
from blurlab.run.command.words import absolute_places, readable
from blurlab.run.errors import UsageError, nearest

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from blurlab.run.command.check import Prepared

EXAMPLES = (
    ("+experiment=messidor_hier", "the main job: type -> strength -> kernel -> restored image"),
    ("-m +experiment=messidor_binary blur.taps=20,3", "a sweep, one table"),
    ("+experiment=messidor_binary seeds=5", "the seeds 0 to 4, and a table over them"),
    ("run.resume=runs/<experiment>/<date>", "go on with a run, or a sweep, that was stopped"),
)

FLAGS: dict[str, tuple[str, ...]] = {
    "--multirun": (),
    "--resolve": (),
    "--cfg": ("job", "hydra", "all"),
    "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
    "--package": ("PACKAGE",),
    "--config-dir": ("FOLDER",),
}
"""Hydra's flags that may be used, with the words that may follow each: any word where one in capitals stands."""
SHORT = {"-m": "--multirun", "-c": "--cfg", "-i": "--info", "-p": "--package", "-cd": "--config-dir"}


@dataclass
class Words:
    """A command line taken apart.

    Attributes:
        flags: Hydra's flags, each with its value ("" where it has none).
        overrides: The other words, KEY=VALUE.
    """

    flags: dict[str, str] = field(default_factory=dict)
    overrides: list[str] = field(default_factory=list)


def run(words: list[str], verbs: Collection[str]) -> None:
    """Check the command line, then hand it to Hydra; after a sweep print its table.

    Args:
        words: The command line.
        verbs: Words that would have been verbs in the first place, for the error about an unknown word.

    Raises:
        UsageError: If the command line cannot be run, or jobs of a sweep failed.
    """
    apart = take_apart(words)
    bad = [word for word in apart.overrides if "=" not in word and not word.startswith("~")]
    if bad:
        raise UsageError(_of_no_key(bad[0], verbs))
    config_dir = apart.flags.get("--config-dir")
    named = [word.partition("=")[0] for word in apart.overrides]
    own = absolute_places(readable(apart.overrides), with_data="run.resume" not in named)
    resumed = with_resume(own, config_dir)
    searched = is_search(resumed)
    if GO_ON in resumed or searched or "seeds" in named:
        apart.flags["--multirun"] = ""
    check_together(apart.flags)
    sweep = "--multirun" in apart.flags
    overrides, why = with_budget(with_seeds(resumed))
    count = count_jobs(overrides, config_dir)
    if count > 1 and searched:
        raise UsageError(f"hparams= chooses the jobs itself, and these words make {count}; name one value a setting")
    if count > 1 and not sweep:
        raise UsageError(
            f"these words make {count} jobs; add -m to run them one after the other, or, where a comma belongs to a "
            "value, quote it: \"KEY='a,b'\""
        )
    prepared = None
    for checked in check_jobs(overrides, config_dir, sweep):
        prepared = None if sweep else checked.prepared  # the jobs of a sweep are built one by one, as they begin
        check_package(apart.flags.get("--package"), checked.cfg)
    if why:
        print(f"{overrides[-1]} ({why}); set budget=smoke, small or full to choose", file=sys.stderr)
    start_hydra([word for pair in apart.flags.items() for word in pair if word], overrides, prepared)


def start_hydra(flags: list[str], overrides: list[str], prepared: Prepared | None) -> None:
    """Run checked words.

    Args:
        flags: Hydra's flags and their values.
        overrides: The other words.
        prepared: What was built to check a single job; None in a sweep.
    """
    import hydra

    from blurlab.run.command.job import job
    from blurlab.run.command.sweep import finished, print_sweep

    def task(cfg: DictConfig) -> None:
        job(cfg, prepared)

    sys.argv = [sys.argv[0], *flags, *overrides]
    hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="run")(task)()
    for folder in finished:
        print_sweep(folder)


def take_apart(words: list[str]) -> Words:
    """Tell Hydra's flags and their values from the other words.

    Raises:
        UsageError: If a flag is none that blurlab takes, or lacks its word.

    Example:
        >>> take_apart(["-m", "--cfg", "job", "--info=all", "blur=motion"])
        Words(flags={'--multirun': '', '--cfg': 'job', '--info': 'all'}, overrides=['blur=motion'])
    """
    apart, left = Words(), list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("-"):
            apart.overrides.append(word)
            continue
        name, joined, value = word.partition("=")
        flag = SHORT.get(name, name)
        if flag not in FLAGS:
            raise UsageError(f"unknown flag '{name}'{nearest(name, [*FLAGS, '--help', '--version'])}")
        if FLAGS[flag] and not joined:
            given = bool(left) and not left[0].startswith("-") and (flag == "--config-dir" or "=" not in left[0])
            value = left.pop(0) if given else "all" if flag == "--info" else ""
        apart.flags[flag] = _checked(flag, value)
    return apart


def check_together(flags: dict[str, str]) -> None:
    """Raise where flags of Hydra's are not used together, or not one without another.

    Raises:
        UsageError: Naming both.
    """
    shown = [flag for flag in ("--multirun", "--cfg", "--info") if flag in flags]
    if len(shown) > 1:
        raise UsageError(f"{shown[0]} (also by seeds=) and {shown[1]} are not used together; leave one out")
    for flag in ("--package", "--resolve"):
        if flag in flags and flags.get("--cfg") != "job":
            raise UsageError(f"{flag} goes with --cfg job")


def check_package(package: str | None, cfg: DictConfig) -> None:
    """Raise unless a configuration has the part that ``--package`` names.

    Raises:
        UsageError: With the parts that there are.
    """
    from omegaconf import OmegaConf

    if package not in (None, "_global_") and OmegaConf.select(cfg, package, throw_on_missing=False) is None:
        raise UsageError(f"--package={package} is no part of the configuration{nearest(package, map(str, cfg))}")


def _of_no_key(word: str, verbs: Collection[str]) -> str:
    """What to say of a word that is no KEY=VALUE."""
    if word in verbs:
        return f"'{word}' is a command and comes first: blurlab {word} ..."
    if os.path.exists(word):
        return f"'{word}' is a file or a folder; write what to do with it: blurlab deblur, or blurlab identify, {word}"
    if word in options("experiment"):
        return f"'{word}' is an experiment; write +experiment={word}"
    return f"unknown word '{word}'{nearest(word, verbs)}; a setting is written KEY=VALUE"


def _checked(flag: str, value: str) -> str:
    allowed = FLAGS[flag]
    if not allowed and value:
        raise UsageError(f"{flag} takes no word, got '{value}'")
    if allowed and not value:
        raise UsageError(f"{flag} needs a word: {' or '.join(allowed)}")
    if allowed and not allowed[0].isupper() and value not in allowed:
        raise UsageError(f"{flag} takes {', '.join(allowed)}, got '{value}'")
    if flag == "--config-dir" and not Path(value).is_dir():
        raise UsageError(f"--config-dir={value} is no folder; name the one that holds your own configuration")
    return value
