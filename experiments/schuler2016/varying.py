"""Camera shake with rotation: one kernel, local kernels, and kernels held to a camera's motion [Schuler2016], sec. 6.3.

    python experiments/schuler2016/varying.py FOLDER    # holds bsds500/test and real/; writes results/varying.json

**turned**: the light of grey photographs of BSDS500 is moved by scipy (cubic splines) through ``POSES`` poses of a
random path, ``PATH_PX`` wide and turned by up to ``ANGLE_DEG`` either way, and averaged: no code of blurlab's. Noise of
``SIGMA`` in the file, 8 bits. The middle, ``SHAPE``, is kept. **real/nonuniform**: the blurred photograph of a
published set, its colours averaged, beside its sharp one; no method here is told what blurred it.

Each is restored by :class:`blurlab.deconvolver.InLight`, tile by tile where the blur differs, told

- ``uniform``: the blind kernel of the whole (:class:`blurlab.blind.FreeForm`);
- ``local``: the kernel of each patch by itself, from the image that the motion below makes sharp;
- ``back_projected``: the paper's projection of these, a threshold that leaves ``KEPT`` of the poses;
- ``nearest``: the motion whose kernels are nearest to these, least squares;
- ``motion``: :class:`blurlab.blind.VaryingShake`, the motion that explains the photograph;
- ``true``: the motion that blurred it, where it is known.

PSNR of the best shift (``blurlab.metric.aligned``), and correlation of the kernels with the true ones at the middles of
``GRID`` patches, each at its best shift, mean.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from blurlab.blind import CameraMotion, FreeForm, VaryingShake
from blurlab.blind.camera_motion import KEPT, MotionBasis, back_projected, least_squares, middles, pose_grid
from blurlab.blind.varying import kernel_grid, local_kernels, patch_grid, sharpened
from blurlab.blur.gp_trajectory import gp_path
from blurlab.core.atomic import write_text
from blurlab.core.image_io import read_scaled
from blurlab.deconvolver import InLight, LightTV, Tiled
from blurlab.metric import kernel_correlation
from blurlab.metric.aligned import align
from blurlab.noise import Srgb
from blurlab.physics import LocalBlur, ProductConvolution

POSES, PATH_PX, ANGLE_DEG = 64, 9.0, 1.0
SIGMA, SHAPE = 0.005, (225, 321)
GRID = (4, 6)
NUMBER = 2
SIDE = 13
"""Side that the blind method is told for the kernel of the turned photographs."""
REAL_SIDE = 25
"""The same for the photograph of unknown blur."""
CURVE = Srgb()
RESULT = Path(__file__).parent / "results" / "varying.json"


@dataclass
class Case:
    """A blurred photograph (1, C, H, W), its sharp one, the motion where it is known, and the side told."""

    y: Tensor
    x: Tensor
    true: CameraMotion | None
    side: int


def random_motion(seed: int) -> CameraMotion:
    """A path of Gaussian processes in translation and angle, about its mean."""
    step = 256 // POSES
    shift, turn = (one[::step] - one[::step].mean(0) for one in gp_path(torch.tensor([2.0 * seed, 2.0 * seed + 1])))
    shift = shift / shift.abs().max() * (PATH_PX / 2)
    angle = turn[:, :1] / turn[:, 0].abs().max() * math.radians(ANGLE_DEG)
    return CameraMotion(torch.cat([shift, angle], 1).float(), torch.full((POSES,), 1 / POSES))


def moved(light: np.ndarray, motion: CameraMotion) -> np.ndarray:
    """The mean of an image (H, W) over the poses, about its middle."""
    middle = (np.array(light.shape) - 1) / 2
    splines, total = ndimage.spline_filter(light, 3), np.zeros_like(light)
    for down, right, angle in motion.poses.double().numpy():
        back = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        offset = middle - back @ (middle + np.array([down, right]))
        total += ndimage.affine_transform(splines, back, offset, order=3, mode="mirror", prefilter=False)
    return total / len(motion.poses)


def turned(path: Path, seed: int) -> Case:
    """A photograph of BSDS500 through a random motion."""
    grey = torch.from_numpy(read_scaled(path).pixels.copy()).float().mean(2)
    grey = grey if grey.shape[0] < grey.shape[1] else grey.T
    keep = tuple(slice((whole - side) // 2, (whole + side) // 2) for whole, side in zip(grey.shape, SHAPE, strict=True))
    motion = random_motion(seed)
    light = torch.from_numpy(moved(CURVE.decode(grey).double().numpy(), motion)[keep]).float()
    y = CURVE.encode(light) + SIGMA * torch.randn(light.shape, generator=torch.Generator().manual_seed(seed))
    return Case((y.clamp(0, 1) * 255).round()[None, None] / 255, grey[keep][None, None], motion, SIDE)


def real(folder: Path) -> Case:
    """The photograph of unknown varying blur."""
    y, x = (
        torch.from_numpy(read_scaled(folder / f"nonuniform_{name}.png").pixels.copy()).float().mean(2)[None, None]
        for name in ("blurry", "gt")
    )
    return Case(y, x, None, REAL_SIDE)


def estimates(case: Case) -> tuple[Tensor, dict[str, LocalBlur | CameraMotion], dict[str, float]]:
    """The uniform kernel (k, k), the varying estimates by name, and processor times [s]."""
    shape = (case.y.shape[-2], case.y.shape[-1])
    start = time.process_time()
    uniform = FreeForm()(case.y, case.side)[0, 0]
    between = time.process_time()
    method = VaryingShake()
    motion = method.from_kernel(case.y, uniform)
    seconds = {"uniform": between - start, "motion": time.process_time() - between}

    seen = CURVE.decode(case.y).mean(1)[0]
    blur = motion.operator(shape, kernel_grid(shape))
    size = blur.psf.shape[-1]
    grid = patch_grid(shape, 10 * size)
    local = local_kernels(sharpened(seen, blur, 1e-3), seen, grid, size, method.kernel_weight)
    corner = math.hypot(*shape) / 2
    poses = pose_grid(size // 2 * 2 + 1, math.radians(method.angle_deg), 1 / corner)
    basis, flat = MotionBasis(poses, middles(shape, grid), size), local.flatten(0, 1)
    back = back_projected(flat, basis)
    found = {"local": ProductConvolution.of_patches(local, shape), "back_projected": CameraMotion(poses, back)}
    found["nearest"] = CameraMotion(poses, least_squares(lambda one: one, flat, basis, back))
    return uniform, found | {"motion": motion} | ({} if case.true is None else {"true": case.true}), seconds


def measured(case: Case) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A photograph's line of the record, and the restored images."""
    uniform, found, seconds = estimates(case)
    shape, images = (case.y.shape[-2], case.y.shape[-1]), {"blurred": case.y}
    images["uniform"] = InLight()(case.y, uniform[None, None]).image
    blurs = {
        name: one.operator(shape, kernel_grid(shape)) if isinstance(one, CameraMotion) else one
        for name, one in found.items()
    }
    for name, blur in blurs.items():
        tile = max(4 * blur.psf_at(0, 0).shape[-1], 64)
        images[name] = InLight(Tiled(LightTV(), tile=tile, overlap=tile // 5))(case.y, blur).image
    line: dict[str, Any] = {"psnr": {name: round(psnr(image, case.x), 3) for name, image in images.items()}}
    if case.true is not None:
        places = middles(shape, GRID)
        size = blurs["true"].psf_at(0, 0).shape[-1] + 4
        expected = case.true.kernels(places, size)[:, None]
        at = [(int(row + shape[0] / 2), int(col + shape[1] / 2)) for row, col in places.tolist()]
        kernels = {name: torch.cat([blur.psf_at(*one) for one in at]) for name, blur in blurs.items()}
        kernels["uniform"] = uniform.expand(len(at), 1, -1, -1)
        line["kernel_correlation"] = {
            name: round(float(kernel_correlation(one, expected).mean()), 3) for name, one in kernels.items()
        }
    line["cpu_seconds"] = {name: round(one, 1) for name, one in seconds.items()}
    return line, images


def psnr(image: Tensor, x: Tensor) -> float:
    """PSNR of the best shift [dB]."""
    near = align(image.clamp(0, 1), x)
    return float(-10 * torch.log10((near.x_hat - near.x).square().mean()))


def main() -> None:
    """Measure every photograph and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds bsds500/test and real/")
    parser.add_argument("--number", type=int, default=NUMBER, help="photographs of BSDS500")
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    chosen = sorted((args.folder / "bsds500" / "test").glob("*.jpg"))[: args.number]
    lines: dict[str, Any] = {}
    for name, make in {
        **{path.stem: lambda path=path, seed=seed: turned(path, seed) for seed, path in enumerate(chosen)},
        "real/nonuniform": lambda: real(args.folder / "real"),
    }.items():
        lines[name], _ = measured(make())
        print(name, json.dumps(lines[name]), flush=True)
        settings = {"poses": POSES, "path_px": PATH_PX, "angle_deg": ANGLE_DEG, "sigma": SIGMA, "kept": KEPT}
        versions = {"torch": torch.__version__, "threads": torch.get_num_threads(), "device": "cpu"}
        write_text(args.output, json.dumps({"photographs": lines, "settings": settings, **versions}, indent=1) + "\n")


if __name__ == "__main__":
    main()
