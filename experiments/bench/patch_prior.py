"""The patch prior of EPLL: a Gaussian mixture fitted to BSDS500's 200 training photographs by scikit-learn.

    python experiments/bench/patch_prior.py FOLDER   # FOLDER holds bsds500/; writes blurlab/deconvolver/weights/

Patches of 8 x 8 px, grey, without their mean, laid so that they change most from left to right
(:func:`blurlab.deconvolver.patch_prior.upright`). Each is taken with a random sign, since a photograph's negative is as
likely as the photograph: the components' means are then nothing but chance, and are folded into their covariances. The
mixture starts from k-means on the energy of the differences in four directions and four quarters of a patch; EM runs
first on some of the patches, then on all of them.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from sklearn.cluster import MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor

from blurlab.core.rng import generator
from blurlab.dataset import Bsds500
from blurlab.dataset.prepare import pick_channel
from blurlab.deconvolver.patch_prior import WEIGHTS, upright

SIDE = 8
ROUNDING = 1e-6
"""Added to every variance: a little less than what 8-bit rounding puts there, 1 / (12 255^2)."""
FIRST_SHARE = 5
"""EM begins on one in so many patches."""


def patches(folder: Path, part: str, count: int) -> Tensor:
    """``count`` patches (count, SIDE^2), evenly from all photographs of a part, anywhere, without their mean."""
    source, random = Bsds500(folder, [part]), generator("patch prior", part)
    photos = list(source.photos())
    each, found = -(-count // len(photos)), []
    for photo in photos:
        image = torch.from_numpy(pick_channel(source.load(photo), "grey")[..., 0].copy())
        windows = image.unfold(0, SIDE, 1).unfold(1, SIDE, 1).flatten(2).flatten(0, 1)
        found.append(windows[torch.randint(len(windows), (each,), generator=random)])
    z = torch.cat(found)
    z = z[torch.randperm(len(z), generator=random)[:count]]
    sign = torch.randint(2, (count, 1), generator=random) * 2 - 1
    return upright(sign * (z - z.mean(1, keepdim=True)))[0]


def basis() -> NDArray[np.float32]:
    """Orthonormal columns (SIDE^2, SIDE^2 - 1) that span the patches without mean: the cosines save the constant."""
    place, frequency = np.arange(SIDE) + 0.5, np.arange(SIDE)
    cosines = np.cos(np.pi * np.outer(place, frequency) / SIDE)
    cosines /= np.linalg.norm(cosines, axis=0)
    return np.kron(cosines, cosines)[:, 1:].astype(np.float32)


def energies(z: Tensor) -> NDArray[np.float32]:
    """Log energy of the differences in four directions and four quarters of each patch, (n, 16)."""
    patch = z.reshape(-1, 1, SIDE, SIDE)
    right, down = patch.diff(dim=-1)[..., 1:, :], patch.diff(dim=-2)[..., 1:]
    squares = torch.cat([right, down, (right + down) / 2**0.5, (right - down) / 2**0.5], dim=1).square()
    quarters = torch.nn.functional.avg_pool2d(squares, SIDE // 2, stride=SIDE // 2 - 1)
    return (quarters.flatten(1) + ROUNDING).log().numpy()


def first_guess(z: Tensor, x: NDArray[np.float32], components: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (K,) and covariances (K, D, D) of k-means clusters of equal energy."""
    label = MiniBatchKMeans(components, random_state=0, n_init=3, batch_size=4096).fit_predict(energies(z))
    count = np.bincount(label, minlength=components)
    prior = ROUNDING * np.eye(x.shape[1], dtype=np.float32)
    moments = [x[label == k].T @ x[label == k] / max(count[k], 1) + prior for k in range(components)]
    return np.maximum(count, 1) / np.maximum(count, 1).sum(), np.stack(moments)


def climb(
    x: NDArray[np.float32], weights: NDArray[np.float32], covariances: NDArray[np.float32], iterations: int
) -> GaussianMixture:
    """So many iterations of EM from there."""
    mixture = GaussianMixture(
        len(weights),
        max_iter=iterations,
        tol=0,
        reg_covar=ROUNDING,
        weights_init=weights,
        means_init=np.zeros((len(weights), x.shape[1])),
        precisions_init=np.linalg.inv(covariances),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(x)


def centred(mixture: GaussianMixture) -> NDArray[np.float32]:
    """Second moments of the components, (K, D, D)."""
    return mixture.covariances_ + mixture.means_[:, :, None] * mixture.means_[:, None, :]


def log_likelihood(x: NDArray[np.float32], weights: NDArray[np.float32], covariances: NDArray[np.float32]) -> float:
    """Mean over patches of the mixture whose components have no mean, by scikit-learn."""
    whole = climb(x[: 4 * len(weights)], weights, covariances, 1)
    whole.weights_, whole.means_ = weights, np.zeros_like(whole.means_)
    whole.precisions_cholesky_ = np.stack([np.linalg.inv(np.linalg.cholesky(c)).T for c in covariances])
    return float(whole.score(x))


def write(
    path: Path, space: NDArray[np.float32], weights: NDArray[np.float32], covariances: NDArray[np.float32]
) -> None:
    """Eigenvectors (in pixels) and eigenvalues of the components, log weights."""
    variances, vectors = np.linalg.eigh(covariances)
    stored = {
        "vectors": torch.from_numpy(np.einsum("pd,kdi->kip", space, vectors)).float().contiguous(),
        "variances": torch.from_numpy(variances).float(),
        "log_weights": torch.from_numpy(np.log(weights)).float(),
    }
    path.parent.mkdir(exist_ok=True)
    save_file(stored, path)


def main() -> None:
    """Fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--components", type=int, default=100)
    parser.add_argument("--patches", type=int, default=200_000)
    parser.add_argument("--iterations", type=int, nargs=2, default=[15, 5], help="of EM on some patches, on all")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    began = time.perf_counter()
    z, space = patches(args.folder, "train", args.patches), basis()
    x, held_out = z.numpy() @ space, patches(args.folder, "val", 20_000).numpy() @ space
    some = slice(len(z) // FIRST_SHARE)
    weights, covariances = first_guess(z[some], x[some], args.components)
    for part, iterations in zip((some, slice(None)), args.iterations, strict=True):
        mixture = climb(x[part], weights, covariances, iterations)
        drift = float(np.abs(mixture.means_).max())
        weights, covariances = mixture.weights_, centred(mixture)
        seconds = time.perf_counter() - began
        value = log_likelihood(held_out, weights, covariances)
        print(f"{iterations} iterations on {len(x[part])} patches, {seconds:.0f} s: largest mean {drift:.3g}")
        print(f"  mean log-likelihood of {len(held_out)} patches of val {value:.2f}", flush=True)
        write(args.output, space, weights, covariances)
    print(args.output, args.output.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
