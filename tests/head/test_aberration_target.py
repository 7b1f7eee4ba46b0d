"""What the outputs of a head on aberrations mean, and what they cost."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal

from blurlab.blur import Zernike
from blurlab.head import AberrationTarget
from blurlab.head.aberration_target import PIXEL

FAMILY = Zernike([0.1, 0.2], [4, 7], pixel_nm=100, size=15)
TARGET = AberrationTarget(FAMILY, share=1.0)
PARAMS = torch.tensor([[0.05, -0.1], [0.08, 0.15]])


def outputs(params: torch.Tensor) -> torch.Tensor:
    roots = torch.tensor([[0.5, 0.3, 1.0]]).expand(len(params), -1)  # (0, 0), (1, 0), (1, 1)
    return torch.cat([params / torch.tensor([0.1, 0.2]), roots, FAMILY.psf(params).flatten(1) / PIXEL], 1)


def test_what_is_written_is_read() -> None:
    believed = TARGET.read(outputs(PARAMS))
    torch.testing.assert_close(believed.mean, PARAMS)
    torch.testing.assert_close(believed.psf, FAMILY.psf(PARAMS))
    scaled = believed.root * torch.tensor([0.1, 0.2])[:, None]
    torch.testing.assert_close(scaled[0], torch.tensor([[0.5, 0.0], [0.3, 1.0]]).tril(-1) + scaled[0].diagonal().diag())
    torch.testing.assert_close(scaled[0].diagonal().log(), torch.tensor([0.5, 1.0]))


def test_the_loss_is_the_likelihood_beside_the_log_of_the_kernels_error() -> None:
    output, psf = outputs(PARAMS), FAMILY.psf(PARAMS)
    believed = TARGET.read(output)
    truth = PARAMS + torch.tensor([[0.02, -0.05]])
    normal = MultivariateNormal(believed.mean, precision_matrix=believed.root @ believed.root.mT)
    constant = torch.log(torch.tensor(2 * torch.pi)) + torch.tensor([0.1, 0.2]).log().sum()
    unlikely = -normal.log_prob(truth) - constant
    torch.testing.assert_close(TARGET.loss_of(output, psf, truth) - TARGET.loss_of(output, psf, PARAMS),
                               unlikely + normal.log_prob(PARAMS) + constant, rtol=1e-4, atol=1e-4)  # fmt: skip
    torch.testing.assert_close(
        TARGET.loss_of(output, psf, truth), unlikely + torch.tensor(1e-4).log(), rtol=1e-3, atol=1e-2
    )
    assert bool((TARGET.loss_of(output, psf.flip(-2, -1), truth) > unlikely - 4).all())


def test_kernels_are_kernels_and_gradients_finite_whatever_the_outputs() -> None:
    output = (5 * torch.randn(3, len(TARGET), generator=torch.Generator().manual_seed(0))).requires_grad_()
    believed = TARGET.read(output)
    assert bool((believed.psf >= 0).all())
    torch.testing.assert_close(believed.psf.sum((1, 2, 3)), torch.ones(3))
    TARGET.loss_of(output, FAMILY.psf(PARAMS[:1]).expand(3, -1, -1, -1), PARAMS[:1]).sum().backward()
    assert output.grad is not None and bool(output.grad.isfinite().all())


def test_a_parameter_that_is_fixed_has_an_output_all_the_same() -> None:
    assert len(AberrationTarget(Zernike([0.1, 0.0], [4, 7], pixel_nm=100, size=15))) == pytest.approx(2 + 3 + 225)


def test_a_fresh_network_names_nearly_the_familys_mean_kernel_of_every_image() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Linear(16, len(TARGET)))
    TARGET.begin(net)
    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    found, mean = TARGET.read(net(images)).psf, TARGET.read(TARGET.uninformed()[None]).psf
    apart = (found - mean).square().sum((1, 2, 3)) / mean.square().sum()
    assert bool((apart < 0.05).all()) and not torch.equal(found[0], found[1])
    assert bool((mean > 0).all())
