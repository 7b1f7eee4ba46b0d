"""The command line of a run directory, replayed to go on with the run; the directory may come from somebody else."""

from __future__ import annotations

from pathlib import Path

from blurlab.report.record import RESUMABLE
from blurlab.run.command.manifest import FILE, is_sweep, read_manifest, search_words
from blurlab.run.command.names import groups, nested_groups, options
from blurlab.run.command.words import quoted
from blurlab.run.errors import UsageError, nearest
from blurlab.run.setup.moved import present_word
from blurlab.run.setup.targets import check_targets

SAVED = ".hydra/overrides.yaml"
GO_ON = "hydra.sweeper.resume=true"
"""The word with which a sweep goes on."""


def with_resume(overrides: list[str], config_dir: str | None = None) -> list[str]:
    """Replay the command line of the run directory, or of the sweep's, that ``run.resume=`` names, in that directory.

    Only settings of blurlab's own configuration are replayed. What would change Hydra itself (its callbacks, launchers
    or search path) is refused, as are files of configuration outside ``conf/`` and ``config_dir``.

    Args:
        overrides: Words of the command line.
        config_dir: The user's own folder of configuration, named on this command line.

    Returns:
        The words of the run to go on with; the same words where ``run.resume`` is not among them.

    Raises:
        UsageError: If the directory is not one that a run made, or its command line holds anything else.
    """
    given = [word for word in overrides if word.startswith("run.resume=")]
    if not given or given[-1] == "run.resume=null":
        return overrides
    folder = _folder(given[-1])
    if is_sweep(folder):
        return _with_sweep(folder, overrides, config_dir)
    replayed = [word for word in saved_words(folder, config_dir) if not word.startswith("run.resume=")]
    rest = [word for word in overrides if not word.startswith("run.resume=")]
    other = [word for word in rest if not word.startswith(RESUMABLE)]
    if other:
        raise UsageError(f"{other[0]} beside run.resume: a resumed run keeps its settings; start a new run for others")
    place = quoted(str(folder))
    return [*replayed, *rest, f"run.resume={place}", f"hydra.run.dir={place}"]


def _with_sweep(folder: Path, overrides: list[str], config_dir: str | None) -> list[str]:
    """The words of a sweep to go on with; how its jobs are run may be said anew."""
    manifest, path = read_manifest(folder), folder / FILE
    for word in manifest.words:
        _check_saved(word, path, config_dir, sweeps=True)
    for word in dict.fromkeys(word for job in manifest.jobs for word in job.words):
        _check_saved(word, path, config_dir)
    wrong = [word for word in manifest.search if word not in search_words(manifest.search)]
    if wrong:
        raise UsageError(f"{path}: the word {wrong[0]} is none of a search's; start a new sweep")
    rest = [word for word in overrides if not word.startswith("run.resume=")]
    other = [word for word in rest if not word.startswith((*RESUMABLE, "hydra.launcher.", "hydra.sweeper."))]
    if other:
        raise UsageError(f"{other[0]} beside run.resume: a sweep keeps its settings; start a new one for others")
    place = quoted(str(folder.absolute()))
    return [*manifest.words, *manifest.search, *rest, f"hydra.sweep.dir={place}", GO_ON]


def _folder(word: str) -> Path:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    (parsed,) = OverridesParser.create().parse_overrides([word])
    if parsed.is_sweep_override():
        raise UsageError(f"{word} names several directories; one run is resumed at a time")
    if parsed.value() is None or not str(parsed.value()).strip():
        raise UsageError("run.resume= names no directory; run.resume=runs/<experiment>/<date>")
    return Path(str(parsed.value()))


def saved_words(folder: Path, config_dir: str | None = None) -> list[str]:
    """The words that a run directory was made with, each checked: those of the last start, if they are whole.

    Raises:
        UsageError: If there are none, the file is damaged, or a word is not a setting of blurlab's own configuration.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    from blurlab.run.setup.begun import begun_words
    from blurlab.run.setup.settings import words_of

    path = folder / SAVED
    first = [present_word(word) for word in begun_words(folder)]
    try:
        words = _saved(folder, path)
        OverridesParser.create().parse_overrides(words if first else [])
    except (UsageError, HydraException):
        if not first:
            raise
        words = first
    for word in [*words, *first]:
        _check_saved(word, path, config_dir)
    if first and words_of(words) != words_of(first):  # Hydra was stopped while it wrote them
        words = first
    return [word for word in words if not word.lstrip("+~").startswith("hydra.")]


def _saved(folder: Path, path: Path) -> list[str]:
    """The words of the last start, as Hydra wrote them: not whole or not at all."""
    from omegaconf import OmegaConf

    from blurlab.run.setup.saved import load_yaml

    if not path.is_file():
        raise UsageError(f"run.resume={folder} is no run directory (it has no {SAVED}); name one under runs/")
    words = OmegaConf.to_container(load_yaml(path), resolve=False)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UsageError(f"{path} is damaged: it is not a list of words; start the run anew")
    return [present_word(str(word)) for word in words]


def _check_saved(word: str, path: Path, config_dir: str | None, sweeps: bool = False) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    def refuse(why: str) -> UsageError:
        return UsageError(f"{path}: the word {word} {why}; a resumed run replays settings of blurlab's conf/ alone")

    try:
        (parsed,) = OverridesParser.create().parse_overrides([word])
    except HydraException as error:
        raise refuse("cannot be read") from error
    key = parsed.key_or_group
    if key == "hydra.run.dir":
        return
    if key.replace("/", ".").split(".")[0] == "hydra" or parsed.package is not None:
        raise refuse("would change Hydra itself")
    if parsed.is_sweep_override():
        if not sweeps:
            raise refuse("is a sweep")
        for one in parsed.sweep_string_iterator():
            _check_saved(f"{word.partition('=')[0]}={one}", path, config_dir)
        return
    value = parsed.value()
    check_targets({key.rpartition(".")[2]: value})
    if key in nested_groups(config_dir) and not isinstance(value, dict):
        members = options(key, config_dir)
        unknown = [str(one) for one in (value if isinstance(value, list) else [value]) if str(one) not in members]
        if unknown and value is not None:
            raise refuse(f"names no member of {key}{nearest(unknown[0], members)}")
    elif "/" in key or key.split(".")[0] not in {*groups(), "run"}:
        raise refuse("is no setting")
