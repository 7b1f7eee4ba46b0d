"""Training a restorer: losses, errors of the kernel, what is logged."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from blurlab.blur import Motion
from blurlab.dataset import Degrade, Degraded
from blurlab.deconvolver import UNet, UnrolledDR
from blurlab.deconvolver.laws import made_up
from blurlab.learning import DSSIM, L1, MSE, KernelError, LogMSE, Mix, Restoration
from blurlab.learning.restoration import side_by_side
from blurlab.metric import psnr, ssim
from blurlab.noise import Gaussian


def batch(n: int = 3) -> Degraded:
    generator = torch.Generator().manual_seed(1)
    degrade = Degrade(Motion([3, 7], [0, 180], size=9), Gaussian(sigma=0.01))
    return degrade(made_up(n, (36, 40), generator=generator), generator=generator)


def module(**options: object) -> Restoration:
    net = UnrolledDR(partial(UNet, channels=(4, 8), blocks=1), iterations=2, start_iterations=5)
    return Restoration(
        net,
        LogMSE(),
        lambda weights: torch.optim.Adam(weights, lr=1e-3),
        schedule="one_cosine",
        total_steps=10,
        **options,
    )


def test_losses_are_the_metrics() -> None:
    data = batch()
    torch.testing.assert_close(-10 / np.log(10) * LogMSE()(data.y, data.x), psnr(data.y, data.x))
    torch.testing.assert_close(1 - DSSIM()(data.y, data.x), ssim(data.y, data.x))
    torch.testing.assert_close(MSE()(data.y, data.x), (data.y - data.x).square().mean((1, 2, 3)))
    mix = Mix({"l1": L1(), "dssim": DSSIM()}, {"l1": 2.0, "dssim": 0.5})
    torch.testing.assert_close(mix(data.y, data.x), 2 * L1()(data.y, data.x) + DSSIM()(data.y, data.x) / 2)


@pytest.mark.parametrize("loss", [L1(), MSE(), LogMSE(), DSSIM()])
def test_losses_lead_back_to_the_sharp_image(loss: L1) -> None:
    data = batch()
    x_hat = data.y.clone().requires_grad_()
    loss(x_hat, data.x).sum().backward()
    assert x_hat.grad is not None
    downhill = data.y - 1e-3 * x_hat.grad / x_hat.grad.abs().max()
    assert (loss(downhill, data.x) < loss(data.y, data.x)).all()


@pytest.mark.parametrize("weights", [{}, {"l1": -1.0}, {"mse": 1.0}])
def test_mixes_that_cannot_be(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="one weight >= 0 for each loss"):
        Mix({"l1": L1()}, weights)


def test_kernel_errors_widen_and_scatter() -> None:
    psf = batch(8).psf
    torch.manual_seed(0)
    soft = KernelError(noise=0.0, softness_px=0.8, share=1.0)(psf)
    torch.testing.assert_close(soft.sum((1, 2, 3)), torch.ones(8))
    energy = soft.square().sum((1, 2, 3)) / psf.square().sum((1, 2, 3))
    assert (energy < 1.001).all()
    assert float(energy.mean()) < 0.9
    scattered = KernelError(noise=0.2, softness_px=0.0, share=1.0)(psf)
    ratio = (scattered / psf)[psf > 0.01]
    assert 0.02 < float(ratio.std()) < 0.3
    half = KernelError(share=0.5)(psf.repeat(20, 1, 1, 1))
    unchanged = (half == psf.repeat(20, 1, 1, 1)).flatten(1).all(1).float().mean()
    assert 0.35 < float(unchanged) < 0.65


@pytest.mark.parametrize("options", [{"noise": -0.1}, {"softness_px": 2.0}, {"share": 1.5}])
def test_kernel_errors_that_cannot_be(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        KernelError(**options)


def test_training_is_told_wrong_kernels_and_validation_the_true_ones() -> None:
    told: list[torch.Tensor] = []
    sigmas: list[torch.Tensor] = []

    class Listener(torch.nn.Module):
        def forward(self, y: torch.Tensor, psf: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
            told.append(psf)
            sigmas.append(sigma.flatten())
            return y

    data, model = batch(), module(kernel_error=KernelError(share=1.0))
    model.net = Listener()
    model.log = model.log_dict = lambda *args, **more: None  # type: ignore[method-assign]  # no Trainer
    model.training_step(data, 0)
    model.validation_step(data, 0)
    assert not torch.equal(told[0], data.psf)
    assert torch.equal(told[1], data.psf)
    assert (sigmas[0] > sigmas[1]).all()
    torch.testing.assert_close(sigmas[1], data.sigma)


def test_pictures_lie_side_by_side() -> None:
    data = batch(5)
    pictures = side_by_side(data, data.y)
    assert len(pictures) == 4
    first = pictures["sharp, observed, restored/0"]
    assert first.shape == (data.y.shape[-2], 3 * data.y.shape[-1], 1)
    np.testing.assert_allclose(first[:, : data.y.shape[-1], 0], data.x[0, 0].numpy())


def test_unknown_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown schedule 'linear'"):
        Restoration(UNet(), L1(), torch.optim.SGD, schedule="linear", total_steps=1)
