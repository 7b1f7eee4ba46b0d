"""``blurlab doctor``: is everything there that blurlab needs, and what to do where it is not."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from blurlab.cli.bounds import DISTRIBUTION, bounds, lacking
from blurlab.cli.shipped import faults, shipped
from blurlab.cli.verb import OneLineParser, Verb

LEAST_FREE_BYTES = 2 << 30
"""What the restoration of a photograph of 12 megapixels needs, and something besides."""


@dataclass(frozen=True)
class Finding:
    """A line of the report.

    Attributes:
        good: Is nothing to be done?
        line: What was found, or what is wrong and what to do.
    """

    good: bool
    line: str


def doctor(words: list[str]) -> None:
    """Print a line for each thing that was looked at.

    Raises:
        SystemExit: With 1, if something needs doing.
    """
    _parser().parse_args(words)
    bad = 0
    for look in LOOKS:
        for one in _tried(look):
            print(f"{'ok ' if one.good else 'do '} {one.line}", flush=True)
            bad += not one.good
    if bad:
        sys.exit(1)


def _tried(look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except Exception as error:  # a broken environment answers with errors of every kind, and the rest is to be seen
        said = " ".join(str(error).split()) or "no message"
        yield Finding(False, f"{look.__name__.strip('_')}: {type(error).__name__}: {said}; install {DISTRIBUTION} anew")


def _python() -> Iterator[Finding]:
    from packaging.specifiers import SpecifierSet

    asked, version = bounds().python, platform.python_version()
    good = SpecifierSet(asked).contains(version, prereleases=True)
    yield Finding(good, f"Python {version} ({asked})" + ("" if good else "; make an environment with one of these"))


def _dependencies() -> Iterator[Finding]:
    needed = bounds().needed
    wrong = lacking(needed)
    for one in wrong:
        yield Finding(False, f"{one}; pip install --upgrade {DISTRIBUTION}")
    if not wrong:
        yield Finding(True, f"all {len(needed)} dependencies are installed and within their bounds")


def _extras() -> Iterator[Finding]:
    for name, asked in bounds().extras.items():
        if not asked:
            continue
        wrong = lacking(asked)
        remedy = f"not there ({', '.join(wrong)}); if wanted: pip install '{DISTRIBUTION}[{name}]'"
        yield Finding(True, f"extra {name}: {remedy if wrong else 'installed'}")


def _torch() -> Iterator[Finding]:
    import torch

    if torch.cuda.is_available():
        device = f"CUDA, {torch.cuda.get_device_name()}"
    else:
        device = "MPS" if torch.backends.mps.is_available() else "CPU"
    yield Finding(True, f"torch {torch.__version__} on {device}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding(True, f"torch runs {torch.get_num_threads()} threads on {cores} cores; OMP_NUM_THREADS sets them")


def _torchvision() -> Iterator[Finding]:
    from importlib import import_module, metadata

    try:
        version = metadata.version("torchvision")
    except metadata.PackageNotFoundError:
        return
    try:
        import_module("torchvision")
    except Exception as error:  # of another build than torch's: operators are missing, and Lightning fails with it
        said = " ".join(str(error).split())
        yield Finding(False, f"torchvision {version} does not fit torch ({said}); pip uninstall torchvision")


def _memory() -> Iterator[Finding]:
    free = _free_bytes()
    if free is None:
        yield Finding(True, "memory: how much is free is not told by this system")
        return
    good = free >= LEAST_FREE_BYTES
    remedy = "" if good else "; end other programs, or take smaller tiles (blurlab deblur --tile 512)"
    yield Finding(good, f"memory: {free / 2**30:.1f} GiB free{remedy}")


def _free_bytes() -> int | None:
    """Memory that can be had without swapping; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def _folders() -> Iterator[Finding]:
    from blurlab.run.command.member import member
    from blurlab.run.command.places import check_writable

    places = member("paths", "default")
    for key, name in (("runs_dir", "BLURLAB_RUNS"), ("cache_dir", "BLURLAB_CACHE")):
        folder = Path(places[key]).absolute()
        try:
            check_writable(folder, f"{name} to a folder that can be")
        except ValueError as error:
            yield Finding(False, str(error))
        else:
            yield Finding(True, f"{key} {folder} can be written to")


def _data() -> Iterator[Finding]:
    from blurlab.run.command.member import member
    from blurlab.run.command.names import options
    from blurlab.run.command.sets import holdings

    folder = Path(member("paths", "default")["data_dir"]).absolute()
    alone = {name: found for name in options("dataset") if name != "folder" and len(found := holdings(name)) == 1}
    here = [
        f"{name} ({one.count})"
        for name, (one,) in alone.items()
        if one.folder is not None and one.folder.is_relative_to(folder)
    ]
    sets, rest = (", ".join(here), "the others") if here else ("no set of photographs", "them")
    yield Finding(True, f"data in {folder}: {sets}; `blurlab datasets` says where to get {rest}")


def _weights() -> Iterator[Finding]:
    wrong = faults()
    for one in wrong:
        yield Finding(False, f"weights: {one}; install {DISTRIBUTION} anew")
    if not wrong:
        yield Finding(True, f"weights: {len(shipped())} files, their checksums are right")


LOOKS = (_python, _dependencies, _torch, _torchvision, _memory, _folders, _weights, _data, _extras)
"""In the order of the report."""


def _parser() -> OneLineParser:
    return OneLineParser("blurlab doctor", description="Look at the environment, a line each: ok, or what to do.")


VERB = Verb(doctor, _parser, (("doctor", "is everything there that blurlab needs; what to do where it is not"),))
