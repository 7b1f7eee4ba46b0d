"""From a command line to a checked configuration, before anything is made or written."""

from __future__ import annotations

import re
import tempfile
from itertools import islice, product
from pathlib import Path
from typing import Any

from blurlab.report.record import RESUMABLE
from blurlab.run.command.check import try_parts
from blurlab.run.errors import UsageError, nearest

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


def conf_dir() -> Path:
    """The folder of the configuration: inside the wheel, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[2]
    return next(folder for folder in (package / "conf", package.parent / "conf") if (folder / "run.yaml").is_file())


def options(group: str) -> list[str]:
    """Names of a group's members, from its folder."""
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


def groups() -> list[str]:
    """Names of the groups."""
    return sorted(path.name for path in conf_dir().iterdir() if path.is_dir())


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


def with_resume(overrides: list[str]) -> list[str]:
    """Replay the command line of the run directory that ``run.resume=`` names, in that directory.

    Raises:
        UsageError: If the directory is not one that a run made.
    """
    asked = [word.split("=", 1)[1] for word in overrides if word.startswith("run.resume=")]
    if not asked or asked[-1] == "null":
        return overrides
    if not asked[-1].strip("'\""):
        raise UsageError("run.resume= names no directory; run.resume=runs/<experiment>/<date>")
    folder = Path(asked[-1].strip("'\""))
    saved = folder / ".hydra" / "overrides.yaml"
    if not saved.is_file():
        raise UsageError(
            f"run.resume={folder} is no run directory (it has no .hydra/overrides.yaml); name one under runs/"
        )
    from omegaconf import OmegaConf

    replayed = [str(word) for word in OmegaConf.load(saved) if not str(word).startswith("run.resume=")]
    rest = [word for word in overrides if not word.startswith("run.resume=")]
    other = [word for word in rest if not word.startswith(RESUMABLE)]
    if other:
        raise UsageError(f"{other[0]} beside run.resume: a resumed run keeps its settings; start a new run for others")
    quoted = str(folder).replace("'", "\\'")
    return [*replayed, *rest, f"run.resume='{quoted}'", f"hydra.run.dir='{quoted}'"]


def check(overrides: list[str], config_dir: str | None = None, sweep: bool = False) -> list[Any]:
    """Compose every job of a command line and refuse what is unknown, incomplete or cannot be written.

    Args:
        overrides: Command-line words, sweeps allowed.
        config_dir: The user's own folder of configuration (Hydra's ``--config-dir``), searched besides.
        sweep: Are the jobs run as a sweep (``-m``), each in a directory below the sweep's?

    Returns:
        The composed configurations (DictConfig), one a job.

    Raises:
        UsageError: With one line.
    """
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from blurlab.run.command.reuse import refuse_taken
    from blurlab.run.record.kept import refuse_other_records

    _check_experiment(overrides, config_dir)
    places = [word for word in overrides if re.match(r"hydra\.(run|sweep)\.", word)]
    jobs: list[tuple[Any, list[str], Path | None]] = []
    try:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            for words in _jobs(overrides):
                cfg, place = _compose([*words, *places], config_dir, len(jobs) if sweep else None)
                chosen, _ = _compose([word for word in words if _is_choice(word)], config_dir)
                wrong = _unknown_keys(cfg, chosen) or _no_number(cfg, chosen)
                if wrong:
                    raise UsageError(wrong)
                missing = [name for name in NEEDED if cfg.get(name) is None]
                if missing:
                    raise UsageError(f"the configuration lacks {missing[0]}; choose {missing[0]}=<member>")
                OmegaConf.to_container(cfg, resolve=True)
                try_parts(cfg)
                jobs.append((cfg, words, place))
    except (HydraException, OmegaConfBaseException) as error:
        raise UsageError(_one_line(str(error))) from error
    refuse_taken(jobs)
    refuse_other_records([(cfg, words) for cfg, words, _ in jobs])
    configs = [cfg for cfg, _, _ in jobs]
    for place in _written(configs[0], overrides):
        _check_writable(place)
    return configs


def _written(cfg: Any, overrides: list[str]) -> list[Path]:
    """Folders that a run will write to."""
    named = [word.split("=", 1)[1].strip("'\"") for word in overrides if re.match(r"hydra\.(run|sweep)\.dir=", word)]
    kept = [cfg.paths.experiments_dir] if cfg.run.keep else []
    return [Path(str(place)) for place in (cfg.paths.runs_dir, cfg.paths.cache_dir, *kept, *named) if "${" not in place]


def _compose(words: list[str], config_dir: str | None, job: int | None = None) -> tuple[Any, Path | None]:
    """The configuration, without Hydra's own, and the directory of the job, the ``job``-th of a sweep."""
    from hydra import compose
    from omegaconf import open_dict

    from blurlab.run.command.reuse import job_dir

    extra = [f"hydra.searchpath=[file://{Path(config_dir).absolute()}]"] if config_dir else []
    cfg = compose("run", overrides=[*words, *extra], return_hydra_config=True)
    _fill_choices(cfg, cfg.hydra.runtime.choices)
    place = job_dir(cfg, job)
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg, place


def _fill_choices(cfg: Any, choices: Any) -> None:
    """Write into ``run.variant`` what Hydra itself, which is not running yet, will put there for ``${hydra:...}``."""
    variant = cfg.run._get_node("variant")
    words = variant._value() if variant is not None else None
    if isinstance(words, str):
        cfg.run.variant = re.sub(r"\$\{hydra:runtime\.choices\.(\w+)\}", lambda found: str(choices[found[1]]), words)


def _check_experiment(overrides: list[str], config_dir: str | None) -> None:
    known = options("experiment")
    if config_dir:
        known += [path.stem for path in Path(config_dir, "experiment").glob("*.yaml")]
    for word in overrides:
        if re.match(r"\+{0,2}experiment=", word):
            for name in word.split("=", 1)[1].split(","):
                if name not in known and "(" not in name:
                    raise UsageError(f"unknown experiment '{name}'{nearest(name, known)}")
            if not word.startswith("+"):
                raise UsageError(f"write +{word} (an experiment is added to the configuration)")


def _is_choice(word: str) -> bool:
    """Is this override the choice of a group's member (dataset=drive, +experiment=x)?"""
    return re.sub(r"^[+~]*", "", word).split("=", 1)[0].split("@")[0] in [*groups(), "hydra/launcher", "hydra/sweeper"]


def _jobs(overrides: list[str]) -> list[list[str]]:
    """The words of each job of a sweep, the first :data:`MOST_CHECKED` of them."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob

    choices = []
    for word, parsed in zip(overrides, OverridesParser.create().parse_overrides(overrides), strict=True):
        if parsed.key_or_group.startswith("hydra."):
            continue
        value = parsed.value()
        if isinstance(value, Glob):
            values = value.filter(options(parsed.key_or_group))
        else:
            values = list(parsed.sweep_string_iterator()) if parsed.is_sweep_override() else []
        choices.append([f"{word.split('=', 1)[0]}={value}" for value in values] or [word])
    return [list(words) for words in islice(product(*choices), MOST_CHECKED)]


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

    from hydra.utils import get_object

    try:
        signature = inspect.signature(get_object(target))
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
