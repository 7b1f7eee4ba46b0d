"""From a command line to a checked configuration, before anything is made or written."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

from blurlab.run.command.check import Prepared, prepare_job
from blurlab.run.command.names import conf_dir, groups, nested_groups, options
from blurlab.run.errors import UsageError, nearest
from blurlab.run.setup.targets import check_targets, resolve

NEEDED = (
    "dataset",
    "blur",
    "noise",
    "boundary",
    "head",
    "optimizer",
    "deconvolver",
    "pipeline",
    "stage",
    "trainer",
    "logger",
)
MOST_CHECKED = 64


def with_budget(overrides: list[str]) -> tuple[list[str], str]:
    """Put the automatic budget where none is asked for: full with a CUDA device, small without.

    Returns:
        The overrides with a budget, and how it was chosen ("" where the user chose).
    """
    asked = [word for word in overrides if word.startswith("budget=")]
    if asked and asked[-1] != "budget=auto":
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


def check(overrides: list[str], config_dir: str | None = None) -> list[Any]:
    """The configurations of the jobs of a command line, each checked; see :func:`check_jobs`."""
    return [job.cfg for job in check_jobs(overrides, config_dir)]


def check_jobs(overrides: list[str], config_dir: str | None = None) -> Iterator[Job]:
    """Compose the jobs of a command line one after another; refuse what is unknown, incomplete or cannot be written.

    Args:
        overrides: Command-line words, sweeps allowed.
        config_dir: The user's own folder of configuration (Hydra's ``--config-dir``), searched besides.

    Yields:
        Each job, the first :data:`MOST_CHECKED` of them. Who keeps none of them keeps none of their memory.

    Raises:
        UsageError: With one line.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    _check_experiment(overrides, config_dir)
    try:
        for words in islice(_jobs(overrides, config_dir), MOST_CHECKED):
            cfg = _checked(words, config_dir)
            prepared = prepare_job(cfg)
            for place in _written(cfg, overrides):
                _check_writable(place)
            yield Job(cfg, prepared)
    except (HydraException, OmegaConfBaseException) as error:
        raise UsageError(_one_line(str(error))) from error


def count_jobs(overrides: list[str], config_dir: str | None = None) -> int:
    """How many jobs a command line makes.

    Raises:
        UsageError: If a word cannot be read.
    """
    from hydra.errors import HydraException

    try:
        return sum(1 for _ in _jobs(overrides, config_dir))
    except HydraException as error:
        raise UsageError(_one_line(str(error))) from error


def _checked(words: list[str], config_dir: str | None) -> Any:
    """The configuration of one job, whose keys are all known and whose targets are all allowed."""
    from hydra import initialize_config_dir
    from omegaconf import OmegaConf

    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = _compose(words, config_dir)
        chosen = _compose([word for word in words if _is_choice(word, config_dir)], config_dir)
    wrong = _unknown_keys(cfg, chosen) or _no_number(cfg, chosen)
    if wrong:
        raise UsageError(wrong)
    missing = [name for name in NEEDED if cfg.get(name) is None]
    if missing:
        raise UsageError(f"the configuration lacks {missing[0]}; choose {missing[0]}=<member>")
    check_targets(OmegaConf.to_container(cfg, resolve=True))
    return cfg


def _written(cfg: Any, overrides: list[str]) -> list[Path]:
    """Folders that a run will write to."""
    named = [word.split("=", 1)[1].strip("'\"") for word in overrides if re.match(r"hydra\.(run|sweep)\.dir=", word)]
    kept = [cfg.paths.experiments_dir] if cfg.run.keep else []
    return [Path(str(place)) for place in (cfg.paths.runs_dir, cfg.paths.cache_dir, *kept, *named) if "${" not in place]


def _compose(words: list[str], config_dir: str | None) -> Any:
    from hydra import compose
    from omegaconf import open_dict

    extra = [f"hydra.searchpath=[file://{Path(config_dir).absolute()}]"] if config_dir else []
    cfg = compose("run", overrides=[*words, *extra], return_hydra_config=True)
    _fill_choices(cfg, cfg.hydra.runtime.choices)
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg


def _fill_choices(cfg: Any, choices: Any) -> None:
    """Write into ``run.variant`` what Hydra itself, which is not running yet, will put there for ``${hydra:...}``."""
    variant = cfg.run._get_node("variant")
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


def _is_choice(word: str, config_dir: str | None) -> bool:
    """Is this override the choice of a group's member (dataset=drive, +experiment=x)?"""
    named = re.sub(r"^[+~]*", "", word).split("=", 1)[0].split("@")[0]
    return named in [*nested_groups(config_dir), "hydra/launcher", "hydra/sweeper"]


def _jobs(overrides: list[str], config_dir: str | None) -> Iterator[list[str]]:
    """The words of each job of a sweep."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob

    choices = []
    for word, parsed in zip(overrides, OverridesParser.create().parse_overrides(overrides), strict=True):
        if parsed.key_or_group.startswith("hydra."):
            continue
        value = parsed.value()
        if isinstance(value, Glob):
            values = value.filter(options(parsed.key_or_group, config_dir))
        else:
            values = list(parsed.sweep_string_iterator()) if parsed.is_sweep_override() else []
        choices.append([f"{word.split('=', 1)[0]}={value}" for value in values] or [word])
    return (list(words) for words in product(*choices))


def _unknown_keys(cfg: Any, base: Any, path: str = "") -> str:
    """One line about the first key of ``cfg`` that neither the chosen files nor the class it configures know."""
    from omegaconf import DictConfig

    known = {str(key) for key in base}
    for key in cfg:
        name = str(key)
        if name not in known and name not in (allowed := known | _parameters(cfg.get("_target_"))):
            return f"unknown key '{path}{name}'{nearest(name, allowed - {'_target_', '_partial_'})}"
        if name in known and isinstance(cfg._get_node(key), DictConfig) and isinstance(base._get_node(key), DictConfig):
            if cfg._get_node(key)._is_none() or base._get_node(key)._is_none():
                continue
            found = _unknown_keys(cfg._get_node(key), base._get_node(key), f"{path}{name}.")
            if found:
                return found
    return ""


WHOLE = ("run.seed", "dataset.size", "budget.")


def _no_number(cfg: Any, base: Any, path: str = "") -> str:
    """One line about the first value that is text, or missing, where the chosen files have a number."""
    from omegaconf import DictConfig

    for key in base:
        name = f"{path}{key}"
        node, before = cfg.get(key), base._get_node(key)
        if isinstance(before, DictConfig) and isinstance(node, DictConfig):
            found = _no_number(node, before, f"{name}.")
            if found:
                return found
        elif isinstance(value := before._value() if hasattr(before, "_value") else None, (int, float)):
            number = isinstance(node, (int, float)) and not isinstance(node, bool)
            if isinstance(value, bool):
                continue
            if isinstance(node, str):
                return f"{name} must be a number, got '{node}'"
            if name.startswith(WHOLE) and not (number and isinstance(node, int)):
                return f"{name} must be a whole number, got {node}"
    return ""


def _parameters(target: str | None) -> set[str]:
    if not target:
        return set()
    import inspect

    known = resolve(target)
    try:
        signature = inspect.signature(known)
    except (ValueError, TypeError):
        return set()
    return {name for name, parameter in signature.parameters.items() if parameter.kind is not parameter.VAR_KEYWORD}


def _check_writable(folder: Path) -> None:
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    try:
        with tempfile.TemporaryDirectory(dir=existing):  # asking the file system is surer than reading permissions
            pass
    except OSError as error:
        why = f"{existing} is not a directory that can be written to ({error.strerror})"
        raise UsageError(f"cannot write to {folder}: {why}; set paths.runs_dir=<folder> or the like") from error


def _one_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = " ".join(line for line in lines if not line.startswith(("See ", "full_key", "object_type", "Set the env")))
    if "hydra/launcher" in text or "hydra/sweeper" in text:
        return "this launcher or sweeper is not installed; pip install 'blurlab[sweeps]'"
    known = re.search(r"Could not find '(\w+)/(\w+)'", text)
    if known and known[1] in groups():
        return f"unknown {known[1]} '{known[2]}'{nearest(known[2], options(known[1]))}"
    key = re.search(r"Could not override '([\w.]+)'", text)
    return f"unknown key '{key[1]}'; see `python -m blurlab --help` and conf/" if key else text
