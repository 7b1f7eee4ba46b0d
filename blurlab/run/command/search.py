"""``hparams=``: settings that Optuna chooses, trial after trial, each a job of a sweep."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from blurlab.core.atomic import write_text
from blurlab.core.rng import seed_from
from blurlab.report.labels import METRICS, is_described
from blurlab.run.command.check import Prepared
from blurlab.run.command.manifest import FILE, Manifest, SweptJob, progress_of, read_manifest, search_words
from blurlab.run.command.names import groups
from blurlab.run.command.sweeper import launch
from blurlab.run.errors import UsageError, nearest
from blurlab.run.setup.trial import make_pruner, open_storage, study_name
from blurlab.run.stage.base import DECONVOLVER

BEST = "best.json"
VAL_LOSS = "val_loss"
RANGE = {"low", "high", "log", "step"}
DIRECTIONS = ("minimize", "maximize")


@dataclass(frozen=True)
class Search:
    """Options of a search, ``hydra.sweeper`` of ``conf/hparams``.

    Attributes:
        space: Key of the configuration -> ``{low, high}``, whole numbers or not, with ``log: true`` or a ``step``
            besides; or ``{choices: [...]}``.
        metric: What is best: ``val_loss``, the mean over the run's trainings, or a figure of the record.
        direction: ``minimize`` or ``maximize``.
        trials: How many in all, those that fail and those ended early among them.
        at_once: How many side by side; they are chosen without knowing of each other.
        prune: End trials whose validation loss is worse than the median of the others at the same epoch. Only of the
            first training of a run.
        warm_up_epochs: Epochs before a trial may be ended.
        first_trials: Trials at random before the search learns, and before any is ended.
        storage: Address of a database as SQLAlchemy takes it; ``study.db`` in the sweep's folder if None.
    """

    space: dict[str, Any] = field(default_factory=dict)
    metric: str = VAL_LOSS
    direction: str = "minimize"
    trials: int = 20
    at_once: int = 1
    prune: bool = True
    warm_up_epochs: int = 3
    first_trials: int = 5
    storage: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", dict(_flat(self.space)))
        if not self.space:
            raise UsageError("hydra.sweeper.space names no setting to search; hparams=optimizer is an example")
        if self.direction not in DIRECTIONS:
            raise UsageError(f"hydra.sweeper.direction must be minimize or maximize, got {self.direction}")
        for name in ("trials", "at_once"):
            if not isinstance(value := getattr(self, name), int) or value < 1:
                raise UsageError(f"hydra.sweeper.{name} must be a whole number from 1, got {value}")
        for key, entry in self.space.items():
            _check_entry(key, entry)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Entries by dotted key: a word of the command line makes a node of each part of the key.

    It also joins an entry with the configured one; what is null there is left out.
    """
    for key, entry in tree.items():
        inner = isinstance(entry, Mapping) and not {"low", "high", "choices"} & {*entry}
        if inner and entry and all(isinstance(one, Mapping) for one in entry.values()):
            yield from _flat(entry, f"{prefix}{key}.")
        elif isinstance(entry, Mapping):
            yield f"{prefix}{key}", {name: value for name, value in entry.items() if value is not None}
        else:
            yield f"{prefix}{key}", entry


def _check_entry(key: str, entry: Any) -> None:
    if key.split(".")[0] not in {*groups(), "run"}:
        raise UsageError(f"hydra.sweeper.space.{key} is no setting of a run{nearest(key.split('.')[0], groups())}")
    where, example = f"hydra.sweeper.space.{key}", "{low: 0.1, high: 1, log: true} or {choices: [a, b]}"
    if isinstance(entry, Mapping) and [*entry] == ["choices"] and entry["choices"]:
        return
    if not isinstance(entry, Mapping) or not {"low", "high"} <= {*entry} <= RANGE:
        raise UsageError(f"{where} must be like {example}, what is not wanted of it null, got {entry}")
    if not all(isinstance(entry[end], (int, float)) for end in ("low", "high")) or entry["low"] > entry["high"]:
        raise UsageError(f"{where}: low must be a number and no greater than high, got {entry}")
    if entry.get("log") and (entry["low"] <= 0 or "step" in entry):
        raise UsageError(f"{where}: log wants low above 0 and no step, got {entry}")


def corners(search: Search) -> Iterator[list[str]]:
    """Words that set one key to an end of its range or a choice each, to be checked before the first trial."""
    for key, entry in search.space.items():
        ends = entry["choices"] if "choices" in entry else [entry["low"], entry["high"]]
        for value in ends:
            yield [_word(key, value)]


def refuse_unknown_figure(metric: str, prepared: Prepared) -> None:
    """Raise where it is known before the first trial that no record will have the figure that is searched for.

    Stages of a user's own may measure what nobody here knows: then only ``val_loss`` is looked at.

    Args:
        metric: As in :class:`Search`.
        prepared: A job of the search.

    Raises:
        UsageError: If nothing is trained, or blurlab's stages measure nothing of that name.
    """
    stages, tasks = prepared.stages, prepared.parts.identifier.tasks
    if metric == VAL_LOSS:
        if not any(stage.trains == DECONVOLVER or (stage.trains and tasks) for stage in stages):
            raise UsageError(
                f"hydra.sweeper.metric={VAL_LOSS}, but these runs train nothing; name a figure of their records, such "
                "as hydra.sweeper.metric=type_accuracy, with hydra.sweeper.direction=maximize"
            )
    elif all(type(stage).__module__.startswith("blurlab.") for stage in stages) and not is_described(metric):
        raise UsageError(f"hydra.sweeper.metric={metric} is no figure{nearest(metric, [VAL_LOSS, *METRICS])}")


def refuse_other_search(folder: Path, words: Sequence[str]) -> None:
    """Raise where a folder holds a search, or another sweep, of other words: its trials are no trials of this one.

    Raises:
        UsageError: Naming what differs.
    """
    if not (folder / FILE).exists():
        return
    before = read_manifest(folder).words
    if before != tuple(words):
        other = ", ".join(sorted({*before} ^ {*words})[:3]) or "their order"
        raise UsageError(
            f"{folder} holds a sweep of other words ({other}); go on with it by run.resume={folder}, or name another "
            "hydra.sweep.dir"
        )


def run_search(launcher: Any, config: DictConfig, arguments: Sequence[str], search: Search, resume: bool) -> None:
    """Run the trials that are left of a search; all of them where it has not begun.

    What Optuna chooses depends on the run's seed, the trial's number and the trials before it alone, so a search that
    was stopped ends as one that was not.

    Args:
        launcher: Hydra's, set up.
        config: The sweep's configuration with its node ``hydra``.
        arguments: Words of the command line, without Hydra's own.
        search: Its options.
        resume: Go on with the search whose folder ``hydra.sweep.dir`` is.

    Raises:
        UsageError: If the record of a trial does not have the figure that is searched for, the folder holds a search of
            other words, or its memory is damaged.
    """
    import optuna

    folder = Path(config.hydra.sweep.dir)
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        refuse_other_search(folder, arguments)
    study = optuna.create_study(
        storage=open_storage(folder, search.storage), study_name=study_name(folder, search.storage),
        direction=optuna.study.StudyDirection[search.direction.upper()], load_if_exists=True,
        pruner=make_pruner(search.prune, search.first_trials, search.warm_up_epochs),
    )  # fmt: skip
    running = optuna.trial.TrialState.RUNNING
    while True:
        batch = [(trial.number, trial.params) for trial in study.get_trials(states=(running,))]
        if any({*chosen} != {*search.space} for _, chosen in batch):
            raise UsageError(f"{folder} holds a search of other settings than {', '.join(search.space)}; name another")
        batch = batch[: search.at_once] or _ask(study, search, int(config.run.seed))
        if not batch:
            break
        jobs = [SweptJob(str(number), (*arguments, *_words(chosen))) for number, chosen in batch]
        every = [SweptJob(str(one.number), (*arguments, *_words(one.params))) for one in study.get_trials()]
        Manifest(tuple(arguments), tuple(every), search_words(config.hydra.overrides.hydra)).write(folder)
        launch(launcher, folder, jobs, first=batch[0][0])
        for number, _ in batch:
            _tell(study, search, folder, number)
    _write_best(study, folder)


def _ask(study: Any, search: Search, seed: int) -> list[tuple[int, dict[str, Any]]]:
    """The next trials, as many as run side by side; none at the end."""
    import optuna

    batch = []
    for _ in range(search.at_once):
        number = len(study.get_trials(deepcopy=False))
        if number >= search.trials:
            break
        study.sampler = optuna.samplers.TPESampler(
            seed=seed_from(seed, "search", number) % 2**32, n_startup_trials=search.first_trials,
            constant_liar=search.at_once > 1,
        )  # fmt: skip
        trial = study.ask({key: _distribution(entry) for key, entry in search.space.items()})
        batch.append((trial.number, trial.params))
    return batch


def _distribution(entry: Mapping[str, Any]) -> Any:
    import optuna

    if "choices" in entry:
        return optuna.distributions.CategoricalDistribution(entry["choices"])
    low, high, log = entry["low"], entry["high"], bool(entry.get("log", False))
    if isinstance(low, int) and isinstance(high, int):
        return optuna.distributions.IntDistribution(low, high, log=log, step=entry.get("step", 1))
    return optuna.distributions.FloatDistribution(low, high, log=log, step=entry.get("step"))


def _tell(study: Any, search: Search, folder: Path, number: int) -> None:
    """Let the search know how a trial ended."""
    from optuna.trial import TrialState

    progress = progress_of(folder / str(number))
    if progress.record is not None:
        study.tell(number, objective(progress.record, search.metric))
    else:
        study.tell(number, state=TrialState.PRUNED if progress.pruned else TrialState.FAIL)


def objective(record: Mapping[str, Any], metric: str) -> float:
    """The figure of a record that is searched for.

    Raises:
        UsageError: If it is not there.
    """
    losses = [float(one["val_loss"]) for one in record.get("training", {}).values() if one.get("val_loss") is not None]
    if metric == VAL_LOSS and losses:
        return sum(losses) / len(losses)
    if metric not in record["metrics"]:
        known = [*record["metrics"], *([VAL_LOSS] if losses else [])]
        raise UsageError(f"hydra.sweeper.metric={metric} is no figure of these runs{nearest(metric, known)}")
    return float(record["metrics"][metric]["value"])


def _write_best(study: Any, folder: Path) -> None:
    """Keep the best trial in ``best.json`` and print it, where there is one."""
    from optuna.trial import TrialState

    if study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        best = study.best_trial
        held = {"trial": best.number, "value": best.value, "words": _words(best.params)}
        write_text(folder / BEST, json.dumps(held, indent=1) + "\n")
        print(f"best of {len(study.trials)} trials: {best.number}, {best.value:.6g}, {' '.join(held['words'])}")


def _words(chosen: Mapping[str, Any]) -> list[str]:
    return [_word(key, value) for key, value in chosen.items()]


def _word(key: str, value: Any) -> str:
    return f"{key}={'null' if value is None else str(value).lower() if isinstance(value, bool) else value}"
