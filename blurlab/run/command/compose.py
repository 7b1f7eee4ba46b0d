"""From a command line to a checked configuration, before anything is made or written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurlab.run.command.check import Prepared, prepare_job
from blurlab.run.command.engine_check import check_engine
from blurlab.run.command.keys import missing_key, of_experiment, other_type, unknown_key
from blurlab.run.command.names import conf_dir, groups, nested_groups, options
from blurlab.run.command.places import check_places, hydra_places
from blurlab.run.command.ranges import check_ranges
from blurlab.run.errors import UsageError, nearest
from blurlab.run.setup.targets import check_targets

if TYPE_CHECKING:
    from blurlab.run.command.search import Search

NEEDED = (
    "run", "paths", "budget", "dataset", "blur", "noise", "boundary", "augment", "optimizer", "head", "deconvolver",
    "pipeline", "stage", "trainer", "logger",
)  # fmt: skip


def with_budget(overrides: list[str]) -> tuple[list[str], str]:
    """Put the automatic budget where none is named: full with a CUDA device, small without.

    Returns:
        The overrides with a budget, and how it was chosen ("" where the user chose).
    """
    given = [word for word in overrides if word.startswith("budget=")]
    if given and given[-1] != "budget=auto":
        return overrides, ""
    import torch

    name = "full" if torch.cuda.is_available() else "small"
    why = "a CUDA device was found" if name == "full" else "no CUDA device was found"
    return [word for word in overrides if not word.startswith("budget=")] + [f"budget={name}"], why


@dataclass(frozen=True)
class Job:
    """A job of a command line, checked.

    Attributes:
        cfg: Its configuration (DictConfig).
        prepared: The parts and stages that were built to check it.
    """

    cfg: Any
    prepared: Prepared


def check(overrides: list[str], config_dir: str | None = None, sweep: bool = False) -> list[Any]:
    """The configurations of the jobs of a command line, each checked; see :func:`check_jobs`."""
    return [job.cfg for job in check_jobs(overrides, config_dir, sweep)]


def check_jobs(overrides: list[str], config_dir: str | None = None, sweep: bool = False) -> Iterator[Job]:
    """Compose the jobs of a command line one after another; refuse what is unknown, incomplete or cannot be written.

    Args:
        overrides: Command-line words, sweeps allowed.
        config_dir: The user's own folder of configuration (Hydra's ``--config-dir``), searched besides.
        sweep: Are the jobs run as a sweep (``-m``), each in a directory below the sweep's?

    Yields:
        Each job. Who keeps none of them keeps none of their memory.

    Raises:
        UsageError: With one line.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from blurlab.run.command.reuse import refuse_taken
    from blurlab.run.command.search import corners, refuse_unknown_figure
    from blurlab.run.record.kept import refuse_other_records

    _check_experiment(overrides, config_dir)
    jobs: list[tuple[Any, list[str], Path | None]] = []
    writable: set[str] = set()
    try:
        hydra_words = [word for word in overrides if _is_hydras(word)]
        hydra_places(hydra_words)
        _check_choices(overrides, config_dir)
        for words in job_words(overrides, config_dir):
            cfg, place, search = _checked(words, hydra_words, config_dir, len(jobs) if sweep else None)
            for more in corners(search) if search else ():
                prepare_job(_checked([*words, *more], hydra_words, config_dir, len(jobs))[0])
            try:
                prepared = prepare_job(cfg)
            except UsageError as error:
                raise UsageError(f"{error}{of_experiment(str(error), words)}") from error
            if search:
                refuse_unknown_figure(search.metric, prepared)
            check_places(cfg, hydra_words, writable)
            jobs.append((cfg, words, None if is_search(overrides) else place))  # trials have settings of their own
            yield Job(cfg, prepared)
    except (HydraException, OmegaConfBaseException) as error:
        raise UsageError(_one_line(str(error))) from error
    refuse_taken(jobs)
    refuse_other_records([(cfg, words) for cfg, words, _ in jobs])


def is_search(overrides: Iterable[str]) -> bool:
    """Do words of a command line choose settings by a search?

    Example:
        >>> is_search(["hparams=optimizer"]), is_search(["hparams=none", "blur=motion"])
        (True, False)
    """
    return any(word.startswith("hparams=") and word != "hparams=none" for word in overrides)


def count_jobs(overrides: list[str], config_dir: str | None = None) -> int:
    """How many jobs a command line makes.

    Raises:
        UsageError: If a word cannot be read.
    """
    from hydra.errors import HydraException

    try:
        return sum(1 for _ in job_words(overrides, config_dir))
    except HydraException as error:
        raise UsageError(_one_line(str(error))) from error


def _checked(
    words: list[str], hydra_words: list[str], config_dir: str | None, job: int | None
) -> tuple[Any, Path | None, Search | None]:
    """The configuration of a job, whose keys and values are known and whose targets are allowed, and its directory.

    And the search that it is a trial of, if any.
    """
    from hydra import initialize_config_dir
    from hydra.errors import ConfigCompositionException
    from omegaconf import OmegaConf

    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        try:
            cfg, place, hydra = _compose([*words, *hydra_words], config_dir, job)
        except ConfigCompositionException as error:
            raise UsageError(_not_there(error, words, config_dir) or _one_line(str(error))) from error
        search = check_engine(hydra)
        choices = tuple(word for word in words if _is_choice(word, config_dir))
        chosen = _chosen(choices, config_dir) if len(choices) < len(words) else cfg
    wrong = missing_key(cfg, chosen) or unknown_key(cfg, chosen) or other_type(cfg, chosen)
    if wrong:
        raise UsageError(wrong)
    missing = [name for name in NEEDED if cfg.get(name) is None]
    if missing:
        raise UsageError(f"the configuration lacks {missing[0]}; choose {missing[0]}=<member>")
    without_value = sorted(OmegaConf.missing_keys(cfg))
    if without_value:
        raise UsageError(f"{without_value[0]} has no value (???); give it one")
    values: Any = OmegaConf.to_container(cfg, resolve=True)
    check_targets(values)
    check_ranges(values)
    return cfg, place, search


def _compose(words: list[str], config_dir: str | None, job: int | None = None) -> tuple[Any, Path | None, Any]:
    """The configuration without Hydra's own, the directory of the job, the ``job``-th of a sweep, and Hydra's own."""
    from hydra import compose
    from omegaconf import open_dict

    from blurlab.run.command.reuse import job_dir

    extra = [f"hydra.searchpath=[file://{Path(config_dir).absolute()}]"] if config_dir else []
    cfg = compose("run", overrides=[*words, *extra], return_hydra_config=True)
    _fill_choices(cfg, cfg.hydra.runtime.choices)
    place, hydra = job_dir(cfg, job), cfg.hydra.copy()
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg, place, hydra


def _not_there(error: Exception, words: list[str], config_dir: str | None) -> str:
    """One line about a key that the chosen files do not have: the nearest one that is known, or how to add it; or "".

    Args:
        error: What Hydra says.
        words: The job's.
        config_dir: As in :func:`check_jobs`.
    """
    from hydra.errors import HydraException
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from blurlab.run.setup.recipe import check_trainer

    named = re.search(r"Could not override '([^']+)'", str(error))
    word = next((word for word in words if named and word.partition("=")[0] == named[1]), "")
    choices = tuple(word for word in words if _is_choice(word, config_dir))
    if not word or word in choices:
        return ""
    key = word.partition("=")[0]
    above = key.rpartition(".")[0]
    try:
        chosen = _chosen(choices, config_dir)
        if above and not isinstance(OmegaConf.select(chosen, above, default=chosen), DictConfig):
            return f"unknown key '{key}': {above} is a value and has no parts"
        cfg = _compose([*choices, f"+{word}"], config_dir)[0]
        found = unknown_key(cfg, chosen)
    except (HydraException, OmegaConfBaseException):
        return ""
    if not found and above == "trainer":
        check_trainer(cfg.trainer)
    return found or f"{key} stands in none of the chosen files; to add it, write +{word}"


@lru_cache(maxsize=8)
def _chosen(words: tuple[str, ...], config_dir: str | None) -> Any:
    """The configuration as the chosen files have it; jobs of a sweep over values share it. To be read only."""
    return _compose(list(words), config_dir)[0]


def _fill_choices(cfg: Any, choices: Any) -> None:
    """Write into ``run.variant`` what Hydra itself, which is not running yet, will put there for ``${hydra:...}``."""
    variant = cfg.run._get_node("variant") if cfg.get("run") is not None else None
    words = variant._value() if variant is not None else None
    if isinstance(words, str):
        cfg.run.variant = re.sub(r"\$\{hydra:runtime\.choices\.(\w+)\}", lambda found: str(choices[found[1]]), words)


def _check_experiment(overrides: list[str], config_dir: str | None) -> None:
    known = options("experiment", config_dir)
    for word in overrides:
        if re.match(r"\+{0,2}experiment=", word):
            for name in word.split("=", 1)[1].split(","):
                if name not in known and "(" not in name:
                    raise UsageError(f"unknown experiment '{name}'{nearest(name, known)}")
            if not word.startswith("+"):
                raise UsageError(f"write +{word} (an experiment is added to the configuration)")


def _check_choices(overrides: Sequence[str], config_dir: str | None) -> None:
    """Raise where a group that every run needs is left out (``~group``), or a group's member has no name."""
    for word in overrides:
        group, _, member = word.partition("=")
        if group.startswith("~") and group[1:] in NEEDED:
            raise UsageError(f"{word} leaves out {group[1:]}, which every run needs; choose another member instead")
        if member in ("", "null", "[]", "''", '""') and (group := group.lstrip("+")) in nested_groups(config_dir):
            raise UsageError(f"{word} names no member of {group}; known: {', '.join(options(group, config_dir))}")


def _is_choice(word: str, config_dir: str | None) -> bool:
    """Is this override the choice of a group's member (dataset=drive, +experiment=x)?"""
    named = re.sub(r"^[+~]*", "", word).split("=", 1)[0].split("@")[0]
    return named in [*nested_groups(config_dir), "hydra/launcher", "hydra/sweeper"]


def _is_hydras(word: str) -> bool:
    """Does this word set something of Hydra's own?"""
    return word.lstrip("+~").startswith("hydra.")


def job_words(overrides: list[str], config_dir: str | None = None) -> Iterator[list[str]]:
    """The words of each job of a sweep, without Hydra's own."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob

    choices = []
    for word, parsed in zip(overrides, OverridesParser.create().parse_overrides(overrides), strict=True):
        if _is_hydras(word):
            continue
        value = parsed.value()
        if isinstance(value, Glob):
            values = value.filter(options(parsed.key_or_group, config_dir))
        else:
            values = list(parsed.sweep_string_iterator()) if parsed.is_sweep_override() else []
        choices.append([f"{word.split('=', 1)[0]}={value}" for value in values] or [word])
    return (list(words) for words in product(*choices))


def _one_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = " ".join(line for line in lines if not line.startswith(("See ", "full_key", "object_type", "Set the env")))
    if "hydra/launcher" in text or "hydra/sweeper" in text:
        return f"there is no such launcher or sweeper; launcher= knows {', '.join(options('launcher'))}"
    text = text.partition(" Config search path:")[0]
    known = re.search(r"Could not (?:find|load) '(\w+)/(\w+)'", text)
    if known and known[1] in groups():
        return f"unknown {known[1]} '{known[2]}'{nearest(known[2], options(known[1]))}"
    key = re.search(r"Could not override '([\w.]+)'", text)
    return f"unknown key '{key[1]}'; see `python -m blurlab --help` and conf/" if key else text
