"""A network's word beside the likelihood."""

from __future__ import annotations

import torch
from torch.distributions import MultivariateNormal

from blurlab.likelihood.hint import Hint

ROOT = torch.tensor([[[2.0, 0.0], [0.5, 3.0]], [[1.0, 0.0], [-0.7, 4.0]]], dtype=torch.float64)
HINT = Hint(torch.tensor([[0.1, 0.2], [-0.3, 0.0]], dtype=torch.float64), ROOT)


def test_the_density_is_that_of_a_gaussian() -> None:
    params = torch.randn(2, 5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    normal = MultivariateNormal(HINT.mean, precision_matrix=ROOT @ ROOT.mT)
    wanted = normal.log_prob(params.transpose(0, 1)).T + torch.log(torch.tensor(2 * torch.pi))
    torch.testing.assert_close(HINT.log_density(params), wanted)
    torch.testing.assert_close(HINT.rows(torch.tensor([1])).log_density(params[1:]), wanted[1:])


def test_draws_are_those_of_the_same_gaussian_and_the_same_each_time() -> None:
    draws = HINT.draws(4001)
    torch.testing.assert_close(draws[:, 0], HINT.mean)
    for row in range(2):
        wanted = torch.linalg.inv(ROOT[row] @ ROOT[row].mT)
        torch.testing.assert_close(torch.cov(draws[row, 1:].T), wanted, rtol=0.1, atol=0.02)
    torch.testing.assert_close(HINT.draws(5), HINT.draws(5))
