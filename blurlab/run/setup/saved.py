"""Files of a run directory and kept records, which may be damaged or come from somebody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from blurlab.run.errors import UsageError


def load_yaml(path: Path) -> DictConfig | ListConfig:
    """What a YAML file holds; no tag of it makes an object.

    Raises:
        UsageError: If it cannot be read, or holds neither keys nor a list.
    """
    try:
        loaded = OmegaConf.load(path)
    except (YAMLError, OmegaConfBaseException, OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is damaged or no YAML; put the run directory's own file back") from error
    if not isinstance(loaded, (DictConfig, ListConfig)):
        raise UsageError(f"{path} is empty; put the run directory's own file back")
    return loaded


def load_json(path: Path, remedy: str) -> dict[str, Any]:
    """The object that a JSON file holds.

    Args:
        path: The file.
        remedy: What to do where it cannot be read.

    Raises:
        UsageError: If it is cut off, no JSON, or something else than an object.
    """
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is damaged; {remedy}") from error
    if not isinstance(loaded, dict):
        raise UsageError(f"{path} is damaged; {remedy}")
    return loaded
