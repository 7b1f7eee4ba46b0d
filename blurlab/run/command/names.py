"""Where the configuration lies, and the names of its groups and their members; imports nothing heavy."""

from __future__ import annotations

from pathlib import Path


def conf_dir() -> Path:
    """The folder of the configuration: inside the wheel, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[2]
    return next(folder for folder in (package / "conf", package.parent / "conf") if (folder / "run.yaml").is_file())


def options(group: str, config_dir: str | None = None) -> list[str]:
    """Names of a group's members, from its folder in ``conf/`` and in the user's own folder of configuration."""
    folders = [conf_dir()] if config_dir is None else [conf_dir(), Path(config_dir)]
    return sorted({path.stem for folder in folders for path in (folder / group).glob("*.yaml")})


def groups() -> list[str]:
    """Names of the groups."""
    return sorted(path.name for path in conf_dir().iterdir() if path.is_dir())


def nested_groups(config_dir: str | None = None) -> list[str]:
    """Names of all groups, those inside others as ``deconvolver/net``, and those of the user's own folder."""
    folders = [conf_dir()] if config_dir is None else [conf_dir(), Path(config_dir)]
    return sorted(
        {path.relative_to(folder).as_posix() for folder in folders for path in folder.rglob("*") if path.is_dir()}
    )
