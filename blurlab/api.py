"""The tool: identify the blur of an image and restore it, with a trained run or with no training at all."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

TILE = 2048
"""Side of the tiles in which a larger photograph is restored, [px]."""


@dataclass(frozen=True)
class Found:
    """What was found in one image.

    Attributes:
        kind: The most probable kind of blur; ``none`` where no blur was found.
        probability: Probability of that kind.
        strength_px: Best estimate of the strength; 0 where no blur was found, NaN where the kind has no strength.
        interval_px: 90 % interval of the strength; NaN where no blur was found, or no parameter is the strength.
        kernel_px: Strength of the kernel to restore with, chosen by expected risk; 0 where no blur was found.
        psf: The kernel (k, k).
        sigma: Noise standard deviation found in the image, on the [0, 1] scale; NaN where it was not looked for.
        angle_deg: Direction of a motion or an ellipse, counter-clockwise from the horizontal; NaN where there is none.
        can_tell: False where the image shows nothing of its blur: every kind is as likely, and nothing is undone.
    """

    kind: str
    probability: float
    strength_px: float
    interval_px: tuple[float, float]
    kernel_px: float
    psf: np.ndarray
    sigma: float = math.nan
    angle_deg: float = math.nan
    can_tell: bool = True


class Deblurrer:
    """Identifies and restores new images.

    With a finished run: images of the kind that it was trained on, at the same scale. Without one: any photograph, by
    the spectral likelihood, which tells none, gaussian, defocus and motion apart.

    Args:
        run_dir: Directory of the run; None for the likelihood.
        tile: Side of the tiles in which a larger image is restored, [px]: memory is bounded by it.

    Raises:
        ValueError: If the directory holds no finished run, or the tiles are too small.
    """

    def __init__(self, run_dir: str | Path | None = None, tile: int = TILE) -> None:
        from blurlab.deconvolver.tiled import check_tile
        from blurlab.run.stage.load import load_run, untrained

        check_tile(tile)
        self.tile = tile
        self.trained = untrained() if run_dir is None else load_run(Path(run_dir))

    def identify(self, image: np.ndarray) -> Found:
        """Name the blur of an image (H, W, 1 or 3) in [0, 1]."""
        return self._found(self.trained.pipeline.identify(self._seen(image)))

    def sigma(self, given: float | None = None) -> float | None:
        """The noise standard deviation to restore with, on the [0, 1] scale: the one given, or the run's.

        Returns:
            It, or None where it will be found in each image.

        Raises:
            ValueError: If it is negative, infinite or NaN, or if none is given and the run has no single one.
        """
        from blurlab.core.checks import check_sigma

        if given is None and math.isnan(self.trained.sigma):
            if self.trained.pipeline.identifier.finds_noise:
                return None
            raise ValueError("this run's noise has no one sigma; give sigma, for instance sigma=0.004")
        noise = self.trained.sigma if given is None else given
        check_sigma(noise)
        return noise

    def deblur(
        self, image: np.ndarray, sigma: float | None = None, progress: Callable[[float], None] | None = None
    ) -> tuple[np.ndarray, Found]:
        """Identify the blur of an image and restore all its channels.

        Args:
            image: (H, W, 1 or 3) in [0, 1].
            sigma: Noise standard deviation on the [0, 1] scale; if None that of the run's training images, or without
                a run the one found in the image.
            progress: Called after each tile with the share that is done; not where one tile holds the image.

        Returns:
            The restored image (H, W, C) in [0, 1], unchanged where no blur was found, and what was found.

        Raises:
            ValueError: If the image has another shape; if sigma is negative, infinite or NaN, or not given and the run
                has no single one.
        """
        import torch

        from blurlab.deconvolver import Tiled
        from blurlab.pipeline import is_identity

        noise = self.sigma(sigma)
        pipeline = self.trained.pipeline
        said = pipeline.identify(self._seen(image))
        if bool(is_identity(said.psf)):
            return image, self._found(said)
        level = said.sigma if noise is None else noise
        assert level is not None  # what needs no run looks for the noise
        y = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(0).float()
        with torch.inference_mode():
            restored = Tiled(pipeline.deconvolver, self.tile, progress=progress)(y, said.psf.to(y), level).image
        return restored[0].permute(1, 2, 0).clamp(0, 1).numpy(), self._found(said)

    def _seen(self, image: np.ndarray) -> Any:
        """The channel that the networks were trained on, as (1, C, H, W)."""
        import torch

        from blurlab.dataset.prepare import pick_channel

        if image.ndim != 3 or image.shape[2] not in (1, 3):
            raise ValueError(f"image must be (H, W, 1) or (H, W, 3), got {image.shape}; drop alpha, add a channel axis")
        picked = pick_channel(image.astype(np.float32, copy=False), self.trained.channel)
        return torch.from_numpy(np.ascontiguousarray(picked)).permute(2, 0, 1).unsqueeze(0)

    def _found(self, said: Any) -> Found:
        from blurlab.blur import strength_of

        kind = int(said.kind[0])
        low, high = (float(end) for end in said.interval_px[0])
        family = self.trained.pipeline.identifier.family
        valued = zip(family.parameters, said.params[0].tolist(), strict=True)
        angles = [value for one, value in valued if one.unit == "deg" and math.isfinite(value)]
        even = 1 / len(family.kinds)
        return Found(
            kind=family.kinds[kind],
            probability=float(said.kind_probability[0, kind]),
            strength_px=float(strength_of(family, said.params, said.kind)[0]),
            interval_px=(low, high),
            kernel_px=float(said.strength_px[0]),
            psf=said.psf[0, 0].numpy(),
            sigma=math.nan if said.sigma is None else float(said.sigma[0]),
            angle_deg=next(iter(angles), math.nan),
            can_tell=len(family.kinds) == 1 or float(said.kind_probability.amax()) > even + 1e-6,
        )


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Raise ValueError: the command prints it as it does every user's error."""
        raise ValueError(f"{message}; see {self.prog} --help")


def deblur_files(words: list[str]) -> None:
    """``blurlab deblur PHOTO... [--run DIR]``: restore photographs into ``--out`` and print what was found.

    Raises:
        ValueError: If a word is wrong, a photograph cannot be read, or two would be written to one file.
    """
    from blurlab.core.checks import check_sigma
    from blurlab.core.file_names import check_apart, check_no_options, png_targets, readable
    from blurlab.core.image_io import read_scaled, write_image

    check_no_options(words)
    asked = _parser().parse_args(words)
    if asked.sigma is not None:
        check_sigma(asked.sigma)
    targets = png_targets(asked.photo, asked.out)
    tool = Deblurrer(asked.run, asked.tile)
    sigma = tool.sigma(asked.sigma)
    images = {target: read_scaled(path, min_side=64) for target, path in targets.items()}
    try:
        asked.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermissionError(f"cannot make the folder {asked.out} ({error.strerror}); choose another --out") from error
    check_apart(targets, asked.out)
    for target, path in targets.items():
        image, scale = images[target].pixels, images[target].scale
        with _shown(readable(path.name)) as progress:
            restored, found = tool.deblur(image, sigma, progress)
        write_image(target, restored, scale.written_white)
        deep = f" ({scale})" if scale.is_deep else ""
        print(f"{readable(path)}: {describe(found)} -> {readable(target)}{deep}")


@contextmanager
def _shown(title: str) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal's error stream from the first share that is done, which is gone at the end."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(title), total=1.0, visible=False)
        yield lambda done: bar.update(task, completed=done, visible=True)


def describe(found: Found) -> str:
    """What was found, in one line.

    Example:
        >>> describe(Found("motion", 0.9, 6.0, (5.5, 6.25), 5.8, np.ones((1, 1))))
        'motion 6.00 px (90 % interval 5.50 to 6.25), probability 0.900, kernel of 5.80 px'
        >>> describe(Found("motion", 0.9, 6.0, (5.5, 6.25), 5.8, np.ones((1, 1)), angle_deg=37.0))
        'motion 6.00 px at 37.0 deg (90 % interval 5.50 to 6.25), probability 0.900, kernel of 5.80 px'
        >>> describe(Found("gaussian_correlated", 0.9, math.nan, (math.nan, math.nan), 0.0, np.ones((1, 1))))
        'gaussian_correlated, probability 0.900'
        >>> describe(Found("none", 0.9, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1))))
        'none, probability 0.900'
        >>> describe(Found("none", 0.25, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1)), can_tell=False))
        'cannot tell, as the image shows nothing of its blur'
    """
    low, high = found.interval_px
    if not found.can_tell:
        return "cannot tell, as the image shows nothing of its blur"
    if found.kind == "none" or math.isnan(found.strength_px):
        return f"{found.kind}, probability {found.probability:.3f}"
    turned = "" if math.isnan(found.angle_deg) else f" at {found.angle_deg:.1f} deg"
    ends = "" if math.isnan(low) else f" (90 % interval {low:.2f} to {high:.2f})"
    return (
        f"{found.kind} {found.strength_px:.2f} px{turned}{ends}, "
        f"probability {found.probability:.3f}, kernel of {found.kernel_px:.2f} px"
    )


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser("blurlab deblur", description="Identify the blur of photographs and restore them.")
    parser.add_argument("photo", nargs="+", type=Path, help="photographs, each restored to OUT/<its name>.png")
    parser.add_argument("--run", type=Path, help="directory of a finished run; without it, no network is asked")
    parser.add_argument("--out", default=Path("deblurred"), type=Path, help="folder of the results; default: deblurred")
    parser.add_argument("--sigma", type=float, help="noise on the [0, 1] scale; default: the run's, or the image's")
    parser.add_argument(
        "--tile", default=TILE, type=int, help=f"restore larger photographs in tiles of this side, px; default: {TILE}"
    )
    return parser
