"""A search's memory, Optuna's storage, as the sweep and the job of one of its trials see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from pytorch_lightning.callbacks import Callback

from blurlab.learning import Pruning
from blurlab.run.errors import UsageError

STUDY = "study.db"


def open_storage(folder: Path, url: str | None) -> Any:
    """Optuna's storage of a search: an SQLite file in the sweep's folder, or the database that ``url`` names."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    patient = {"connect_args": {"timeout": 120}} if url is None or url.startswith("sqlite:") else {}
    place = f"sqlite:///{folder.absolute() / STUDY}" if url is None else url
    try:
        return optuna.storages.RDBStorage(place, engine_kwargs=patient)
    except Exception as error:  # those of SQLAlchemy and of each database
        said = " ".join(str(error).split())[:120]
        raise UsageError(
            f"{url or folder / STUDY} cannot be read as the memory of a search ({said}); "
            "put it back, or start a new search"
        ) from error


def study_name(folder: Path, url: str | None) -> str:
    """Name of a search in its storage: a file of its own holds no other."""
    return "search" if url is None else folder.name


def make_pruner(prune: bool, first_trials: int, warm_up_epochs: int) -> Any:
    """What ends trials that are worse than the median of the others at the same epoch."""
    import optuna

    if not prune:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=first_trials, n_warmup_steps=warm_up_epochs)


def pruning() -> list[Callback]:
    """The callback that asks the search of this job whether to go on; none where no search prunes it."""
    if not HydraConfig.initialized():
        return []
    hydra: Any = HydraConfig.get()
    options = hydra.sweeper
    if hydra.mode is not RunMode.MULTIRUN or not options.get("space") or not options.get("prune"):
        return []
    import optuna

    folder = Path(hydra.sweep.dir)
    storage, name = open_storage(folder, options.storage), study_name(folder, options.storage)
    pruner = make_pruner(True, options.first_trials, options.warm_up_epochs)
    study = optuna.load_study(study_name=name, storage=storage)
    study_id = storage.get_study_id_from_name(name)
    trial = storage.get_trial_id_from_study_id_trial_number(study_id, int(Path(hydra.runtime.output_dir).name))

    def told(epoch: int, loss: float) -> bool:
        storage.set_trial_intermediate_value(trial, epoch, loss)
        return bool(pruner.prune(study, storage.get_trial(trial)))

    return [Pruning(told)]
