"""``blurlab blur PHOTO... --blur FAMILY [KEY=VALUE ...]``: degrade photographs by a blur whose truth is then known."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from blurlab.cli.batch import Progress, end, noted, over_files
from blurlab.cli.files import kernel_places, make_folder, photographs
from blurlab.cli.journal import Journal
from blurlab.cli.rows import Row, check_table
from blurlab.cli.verb import OneLineParser, Verb
from blurlab.core.file_names import readable
from blurlab.run.command.names import options
from blurlab.run.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from blurlab.dataset import Degrade
    from blurlab.physics import Degraded


def blur(words: list[str]) -> None:
    """Blur photographs into ``--out``, one after the other, and print with what.

    Raises:
        ValueError: If a word is wrong (:class:`UsageError`), or two photographs would be written to one file.
        SystemExit: With 1, if a photograph could not be used; the others are done.
    """
    from blurlab.core.file_names import check_no_options, targets

    check_no_options(words)
    parser = _parser()
    args = parser.parse_args(words)
    check_table(args.table)
    family, settings, behind = _taken_apart(args.blur)
    if not (args.photo or behind):
        parser.error("the following arguments are required: photo")
    degrade = degradation(family, settings, args.sigma, linear=args.linear)
    photos = photographs([*args.photo, *behind], args.out)
    sources = targets(photos, args.out)
    places = {photo: target for target, photo in sources.items()}
    kernels = kernel_places(args.save_kernel, places, args.out)
    make_folder(args.out, sources)
    journal = Journal(args.out, {})
    journal.check_free(sources)
    each = noted(Blurring(degrade, args.sigma, args.seed, dict(photos), places, kernels), places, journal)
    end(over_files([*places], each, table=args.table))


def _taken_apart(words: list[str]) -> tuple[str, list[str], list[Path]]:
    """What follows ``--blur``: the family, its settings, and the photographs that stand behind them.

    Raises:
        UsageError: If a word is neither a setting nor there.
    """
    settings = [word for word in words[1:] if "=" in word]
    behind = [Path(word) for word in words[1:] if "=" not in word]
    for word in behind:
        if not (os.path.exists(word) or has_magic(str(word))):
            raise UsageError(f"'{readable(word)}' is no setting, and no file; write KEY=VALUE, or check the path")
    return words[0], settings, behind


def degradation(family: str, words: list[str], sigma: float = 0.0, *, linear: bool = False) -> Degrade:
    """What is done to a photograph: a blur, at whose border the photograph is reflected, and noise.

    Args:
        family: A member of ``conf/blur``.
        words: Its settings, ``KEY=VALUE``: a number is fixed, ``[LOW,HIGH]`` a range.
        sigma: Standard deviation of the noise, in the values of the file.
        linear: Does the file hold light? Else its values are those of sRGB, decoded to light before the blur.

    Raises:
        UsageError: If there is no such family, or it refuses a setting.
        ValueError: If sigma is out of its range.
    """
    from blurlab.core.checks import check_sigma
    from blurlab.dataset import Degrade
    from blurlab.noise import Camera, Gaussian, NoiseModel, NoNoise, Srgb
    from blurlab.run.command.member import member
    from blurlab.run.setup.build import build

    check_sigma(sigma, "--sigma")
    noise: NoiseModel = Gaussian(sigma=sigma) if sigma else NoNoise()
    return Degrade(
        build(member("blur", family, words)), noise if linear else Camera(Srgb(), file=[noise]), "reflect",
        observed_only=True,
    )  # fmt: skip


@dataclass(frozen=True)
class Blurring:
    """What is done with each photograph. Its blur depends on the seed and on its place, and on no other photograph.

    Attributes:
        degrade: Blur and noise.
        sigma: Of the noise.
        seed: Of the draws.
        below: Each photograph's place below the folder of the results.
        places: Where each photograph is written to.
        kernels: Where the kernel of each photograph is written to; nowhere where it has none.
    """

    degrade: Degrade
    sigma: float
    seed: int
    below: Mapping[Path, Path]
    places: Mapping[Path, Path]
    kernels: Mapping[Path, Path] = field(default_factory=dict)

    def __call__(self, photo: Path, progress: Progress) -> Row:
        """Blur a photograph, write it, say so, and return its row."""
        import torch

        from blurlab.core.image_alike import write_alike
        from blurlab.core.image_io import read_scaled
        from blurlab.core.kernel_file import write_kernel
        from blurlab.core.rng import generator

        target, read = self.places[photo], read_scaled(photo)
        x = torch.from_numpy(read.pixels).permute(2, 0, 1).unsqueeze(0)
        with torch.inference_mode():
            done = self.degrade(x, generator=[generator(self.seed, "blur", self.below[photo].as_posix())])
        target.parent.mkdir(parents=True, exist_ok=True)
        told = write_alike(target, done.y[0].permute(1, 2, 0).numpy(), photo, read)
        if photo in self.kernels:
            write_kernel(self.kernels[photo], _kernel(done))
        row = self._row(photo, done)
        print(f"{readable(photo)}: {_words(row)} -> {row.output}{f' ({told})' if told else ''}", flush=True)
        return row

    def _row(self, photo: Path, done: Degraded) -> Row:
        family = self.degrade.family
        valued = zip(family.names, done.params[0].tolist(), strict=True)
        return Row(
            readable(photo),
            output=readable(self.places[photo]),
            kind=family.kinds[int(done.kind[0])],
            strength_px=float(done.strength_px[0]),
            parameters=tuple((name, value, math.nan, math.nan) for name, value in valued if not math.isnan(value)),
            sigma=self.sigma,
        )


def _kernel(done: Degraded) -> np.ndarray:
    """The kernel (k, l) of one photograph, without its empty border; of a blur that varies, that in the middle."""
    from blurlab.blur import trimmed
    from blurlab.physics import LocalBlur

    assert isinstance(done.blur, LocalBlur)
    kernel: np.ndarray = trimmed(done.blur.psf_at(done.y.shape[-2] // 2, done.y.shape[-1] // 2))[0, 0].numpy()
    return kernel


def _words(row: Row) -> str:
    noise = [f"noise {row.sigma:g}"] if row.sigma else []
    return ", ".join([row.kind, *(f"{name} {value:.6g}" for name, value, _, _ in row.parameters), *noise])


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        "blurlab blur",
        description="Blur photographs, each in the format, size and depth that it came in. What is not given of a blur "
        "is drawn. Ends with 1 if a file could not be used; the others are done.",
    )
    parser.add_argument(
        "photo", nargs="*", type=Path, help="photographs, folders (with sub-folders, whose structure is kept), patterns"
    )
    parser.add_argument(
        "--blur",
        nargs="+",
        required=True,
        metavar=("FAMILY", "KEY=VALUE"),
        help=f"a family ({', '.join(options('blur'))}) and settings of its file: length_px=9, or a range to draw from, "
        "length_px=[5,20]; what they may be is in conf/blur/FAMILY.yaml",
    )
    parser.add_argument("--sigma", default=0.0, type=float, help="noise on the [0, 1] scale of the file; default: none")
    parser.add_argument("--seed", default=0, type=int, help="of what is drawn; default: 0")
    parser.add_argument(
        "--linear", action="store_true", help="the files hold light; without it their values are those of sRGB"
    )
    parser.add_argument(
        "-o", "--out", default=Path("blurred"), type=Path, help="folder of the results; default: blurred"
    )
    parser.add_argument(
        "--save-kernel", type=Path, help="write the kernel (.tif, .png, .npy); of several photographs a folder"
    )
    parser.add_argument("--table", type=Path, help="write what was done to each to a file: .csv or .jsonl")
    return parser


VERB = Verb(
    blur,
    _parser,
    (("blur photo.png --blur motion length_px=9 angle_deg=30", "blur photographs, to see what a restoration gives"),),
)
