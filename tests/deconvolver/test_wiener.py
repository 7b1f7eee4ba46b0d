"""Wiener against scikit-image, and its choices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver import Wiener
from blurlab.deconvolver.border import extend_periodic
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.deconvolver.wiener import wiener


@pytest.mark.parametrize("prior", ["flat", "laplacian"])
def test_agrees_with_scikit_image(prior: str) -> None:
    from skimage.restoration import wiener as reference

    y = torch.rand(4, 1, 18, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    psf = kernels(4).double()
    ours = wiener(y, psf, torch.tensor(0.05, dtype=torch.float64), prior)
    flat = np.ones((18, 13), dtype=complex) if prior == "flat" else None
    for i in range(4):
        theirs = reference(y[i, 0].numpy(), psf[i, 0].numpy(), 0.05, reg=flat, clip=False)
        np.testing.assert_allclose(ours[i, 0].numpy(), theirs, atol=1e-5)


def test_known_spectrum_is_restored_best_by_its_own_prior() -> None:
    noise = torch.randn(8, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    white = 0.5 + 0.1 * noise
    psf = kernels(1)
    y = irfft2(psf_to_otf(psf, (48, 48)) * rfft2(white), (48, 48)) + 0.02 * noise.roll(7, -1).roll(5, 0)
    solvers = {prior: Wiener(prior=prior, boundary="circular") for prior in ("flat", "laplacian")}
    error = {prior: (solver(y, psf, 0.02).image - white).square().mean() for prior, solver in solvers.items()}
    assert error["flat"] < 0.9 * error["laplacian"]


def test_mean_is_kept() -> None:
    y = made_up(2, (32, 40), generator=torch.Generator().manual_seed(0))
    restored = Wiener(nsr=0.5, prior="flat", boundary="circular")(y, kernels(1), 0.01).image
    torch.testing.assert_close(restored.mean((-2, -1)), y.mean((-2, -1)))


def test_extension_has_no_jump_at_the_seam() -> None:
    ramp = torch.linspace(0, 1, 40).expand(40, 40)
    grid = extend_periodic(ramp, 12)
    assert grid.shape == (54, 54)
    assert torch.equal(grid[:40, :40], ramp)
    seam = torch.cat([grid, grid[:, :1]], dim=1).diff(dim=1).abs().max()
    assert seam < 0.2


def test_kernel_as_large_as_the_image_is_padded() -> None:
    y = torch.rand(1, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    assert torch.isfinite(Wiener()(y, kernels(1), 0.01).image).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"nsr": 0.0}, r"nsr must be a number in \[1e-12, 1e\+06\], got 0.0"),
        ({"prior": "white"}, "prior must be one of flat, gradient, laplacian, got 'white'"),
        ({"boundary": "wrap"}, "boundary must be one of padded, liu_jia, edgetaper, circular, got 'wrap'"),
    ],
)
def test_options_that_cannot_be(options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Wiener(**options)
