"""The mixture of patches: likelihood, filter and overlap against plain linear algebra; what the package carries."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from blurlab.deconvolver.patch_prior import WEIGHTS, PatchPrior, load_patch_prior, upright

NOISE = 0.05


def basis(pixels: int) -> Tensor:
    """Orthonormal rows (P - 1, P) that are orthogonal to the constant."""
    start = torch.cat([torch.ones(pixels, 1), torch.eye(pixels)[:, 1:]], dim=1).double()
    return torch.linalg.qr(start)[0][:, 1:].mT.contiguous()


def made_up(components: int, side: int = 3) -> PatchPrior:
    """A mixture drawn at random, in float64."""
    generator = torch.Generator().manual_seed(components)
    d = side**2 - 1
    turned = torch.linalg.qr(torch.randn(components, d, d, generator=generator, dtype=torch.float64))[0]
    variances = torch.rand(components, d, generator=generator, dtype=torch.float64) ** 4 * 0.1
    log_weights = torch.rand(components, generator=generator, dtype=torch.float64).log_softmax(0)
    return PatchPrior(turned @ basis(side**2), variances, log_weights)


def photograph() -> Tensor:
    """Part of a photograph, (1, 96, 128)."""
    return torch.from_numpy(skimage.data.camera()[80:176, 160:288].astype(np.float32) / 255)[None]


def some_patches(n: int, side: int) -> Tensor:
    """Patches (n, P) of it, in float64."""
    windows = photograph()[0].double().unfold(0, side, 1).unfold(1, side, 1).flatten(2).flatten(0, 1)
    return windows[torch.randint(len(windows), (n,), generator=torch.Generator().manual_seed(1))]


def covariances(prior: PatchPrior) -> Tensor:
    """C_k in pixels (K, P, P)."""
    return prior.vectors.mT @ (prior.variances[..., None] * prior.vectors)


@pytest.mark.parametrize("noise", [0.0, NOISE])
def test_likelihood_is_that_of_torch_distributions(noise: float) -> None:
    prior = load_patch_prior().to(torch.zeros((), dtype=torch.float64))
    space = basis(64)
    z = upright(some_patches(5, 8) @ (torch.eye(64).double() - 1 / 64))[0]
    reduced = space @ covariances(prior) @ space.mT + noise**2 * torch.eye(63)
    normal = MultivariateNormal(torch.zeros(63).double(), (reduced + reduced.mT) / 2)
    reference = normal.log_prob((z @ space.mT)[:, None])
    came = prior.log_likelihood(z, noise)
    torch.testing.assert_close(came, reference + prior.log_weights, rtol=1e-4, atol=1e-4)
    single = load_patch_prior().log_likelihood(z.float(), noise)
    torch.testing.assert_close(single.max(1).values.double(), came.max(1).values, rtol=1e-4, atol=1e-2)


def test_patch_is_filtered_as_by_the_closed_form() -> None:
    prior, z = made_up(4), some_patches(40, 3)
    noisy = covariances(prior) + NOISE**2 * torch.eye(9)
    filters = torch.linalg.solve(noisy, covariances(prior))
    poses, unsure = set(), 0
    for patch, came in zip(z, prior.estimate(z, NOISE), strict=True):
        centred = (patch - patch.mean()).reshape(3, 3)
        lies = bool(centred.diff(dim=0).square().sum() > centred.diff(dim=1).square().sum())
        seen = (centred.mT if lies else centred).flatten()
        likely = prior.log_weights + MultivariateNormal(torch.zeros(9).double(), noisy).log_prob(seen)
        share = likely.softmax(0)
        filtered = torch.einsum("k,kij,j->i", share, filters.mT, seen).reshape(3, 3)
        expected = patch.mean() + (filtered.mT if lies else filtered).flatten()
        torch.testing.assert_close(came, expected, rtol=0, atol=1e-4)
        poses.add(lies)
        unsure += bool(share.max() < 0.9)
    assert len(poses) == 2 and unsure > 3


@pytest.mark.parametrize(("stride", "offset"), [(1, 0), (2, 1), (3, 2)])
def test_image_is_the_mean_of_the_patches_that_overlap(stride: int, offset: int) -> None:
    prior, image = made_up(3), photograph()[:, :7, :10].double()
    total, count = torch.zeros(7, 10).double(), torch.zeros(7, 10).double()
    for top in range(offset, offset + 7, stride):
        for left in range(offset, offset + 10, stride):
            place = torch.arange(top, top + 3)[:, None] % 7, torch.arange(left, left + 3) % 10
            total[place] += prior.estimate(image[0][place].reshape(1, 9), NOISE).reshape(3, 3)
            count[place] += 1
    torch.testing.assert_close(prior.denoise(image, NOISE, stride, offset)[0], total / count, rtol=0, atol=1e-10)


def test_transposed_photograph_is_denoised_alike() -> None:
    prior, image = load_patch_prior(), photograph()
    image = image + 0.002 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    turned = prior.denoise(image.mT.contiguous(), NOISE, 5, 3).mT
    torch.testing.assert_close(turned, prior.denoise(image, NOISE, 5, 3), rtol=0, atol=1e-5)


def test_noise_is_taken_off_a_photograph_but_not_off_a_flat_image() -> None:
    prior, x = load_patch_prior(), photograph()
    noisy = x + NOISE * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    gain = 10 * torch.log10((noisy - x).square().mean() / (prior.denoise(noisy, NOISE) - x).square().mean())
    assert gain > 4
    flat = torch.full((2, 20, 23), 0.3)
    torch.testing.assert_close(prior.denoise(flat, NOISE, 5), flat)


def test_mixture_of_the_package_is_whole_small_and_knows_photographs() -> None:
    prior = load_patch_prior()
    k, d, pixels = prior.vectors.shape
    assert (d, pixels, prior.side) == (63, 64, 8) and WEIGHTS.stat().st_size < 2e6
    eye = torch.eye(d).expand(k, -1, -1)
    torch.testing.assert_close(prior.vectors @ prior.vectors.mT, eye, rtol=0, atol=1e-5)
    assert prior.vectors.sum(2).abs().max() < 1e-5
    assert float(prior.log_weights.exp().sum()) == pytest.approx(1, abs=1e-5)
    assert prior.variances.min() > 0
    z = upright((some_patches(500, 8) @ (torch.eye(64).double() - 1 / 64)).float())[0]
    mixed = prior.log_likelihood(z, 0.01).logsumexp(1).mean()
    overall = (prior.log_weights.exp()[:, None, None] * covariances(prior)).sum(0)
    variances, vectors = torch.linalg.eigh(overall)
    gaussian = PatchPrior(vectors.mT[None, 1:].contiguous(), variances[None, 1:], torch.zeros(1))
    assert mixed > gaussian.log_likelihood(z, 0.01).mean() + 20
