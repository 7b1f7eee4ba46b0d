"""A trained run as a tool: identify the blur of an image, restore it."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Found:
    """What was found in one image: the kind, its probability, the strength and its 90 % interval, the kernel (k, k)."""

    kind: str
    probability: float
    strength_px: float
    interval_px: tuple[float, float]
    psf: np.ndarray


class Deblurrer:
    """A finished run, ready for new images of the kind that it was trained on, at the same scale.

    Args:
        run_dir: Directory of the run.

    Raises:
        ValueError: If the directory holds no finished run.
    """

    def __init__(self, run_dir: str | Path) -> None:
        from blurlab.run.load import load_run

        self.trained = load_run(Path(run_dir))

    def identify(self, image: np.ndarray) -> Found:
        """Name the blur of an image (H, W, C) in [0, 1]."""
        return self._found(self.trained.pipeline.identify(self._seen(image)))

    def deblur(self, image: np.ndarray, sigma: float | None = None) -> tuple[np.ndarray, Found]:
        """Identify the blur of an image and restore all its channels.

        Args:
            image: (H, W, C) in [0, 1].
            sigma: Noise standard deviation on the [0, 1] scale; that of the run's training images if None.

        Returns:
            The restored image (H, W, C) in [0, 1], unchanged where no blur was found, and what was found.

        Raises:
            ValueError: If sigma is not given and the run has no single one.
        """
        import torch

        noise = self.trained.sigma if sigma is None else sigma
        if math.isnan(noise):
            raise ValueError("this run was trained on a range of noise; give sigma, for instance sigma=0.004")
        pipeline = self.trained.pipeline
        said = pipeline.identify(self._seen(image))
        if int(said.kind[0]) == pipeline.sharp_kind:
            return image, self._found(said)
        y = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(0).float()
        with torch.inference_mode():
            restored = pipeline.deconvolver(y, said.psf.to(y), noise).image
        return restored[0].permute(1, 2, 0).clamp(0, 1).numpy(), self._found(said)

    def _seen(self, image: np.ndarray) -> Any:
        """The channel that the networks were trained on, as (1, C, H, W)."""
        import torch

        planes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(0).float()
        if self.trained.channel == "rgb":
            return planes.expand(-1, 3, -1, -1)
        if self.trained.channel == "green" and planes.shape[1] >= 3:
            return planes[:, 1:2]
        return planes[:, :3].mean(1, keepdim=True)

    def _found(self, said: Any) -> Found:
        kinds = self.trained.pipeline.identifier.family.kinds
        low, high = (float(end) for end in said.interval_px[0])
        return Found(
            kind=kinds[int(said.kind[0])],
            probability=float(said.kind_probability[0].max()),
            strength_px=float(said.strength_px[0]),
            interval_px=(low, high),
            psf=said.psf[0, 0].numpy(),
        )


def deblur_files(words: list[str]) -> None:
    """``blurlab deblur PHOTO... --run DIR``: restore photographs into ``--out`` and print what was found."""
    from blurlab.core.image_io import read_image, write_image

    parser = argparse.ArgumentParser("blurlab deblur", description=deblur_files.__doc__)
    parser.add_argument("photo", nargs="+", type=Path)
    parser.add_argument("--run", required=True, type=Path, help="directory of a finished run")
    parser.add_argument("--out", default=Path("deblurred"), type=Path, help="folder for the restored photographs")
    parser.add_argument("--sigma", type=float, help="noise standard deviation on the [0, 1] scale; default: the run's")
    asked = parser.parse_args(words)
    tool = Deblurrer(asked.run)
    images = [(path, read_image(path, min_side=64)) for path in asked.photo]
    asked.out.mkdir(parents=True, exist_ok=True)
    for path, image in images:
        restored, found = tool.deblur(image, asked.sigma)
        target = asked.out / f"{path.stem}.png"
        write_image(target, restored)
        low, high = found.interval_px
        strength = "" if math.isnan(low) else f" {found.strength_px:.2f} px (90 % interval {low:.2f} to {high:.2f})"
        print(f"{path}: {found.kind}{strength}, probability {found.probability:.3f} -> {target}")
