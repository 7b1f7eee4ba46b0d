"""The cost of a wrong kernel, joined from measured pairs."""

from __future__ import annotations

import numpy as np
import torch

from blurlab.run.stage.calibrate import loss_matrix


def test_discrete_candidates_keep_every_measured_pair() -> None:
    grid = torch.tensor([1.0, 4.0, 6.0])
    value = {(t, u): 7.0 - 2 * abs(t - u) - (3 if u > t else 0) for t in (1.0, 4.0, 6.0) for u in (1.0, 4.0, 6.0)}
    loss = loss_matrix(list(value), list(value.values()), grid, grid)
    for c, used in enumerate(grid.tolist()):
        for m, true in enumerate(grid.tolist()):
            assert float(loss[c, m]) == max(0.0, value[true, true] - value[true, used])


def test_continuous_candidates_follow_a_loss_that_is_linear_in_strength_and_error() -> None:
    def isnr(true: float, used: float) -> float:
        error = used - true
        return 8.0 - (1 + 0.2 * true) * (3 * max(error, 0) + max(-error, 0))

    pairs = [(s, s + e) for s in (2.0, 6.0, 10.0) for e in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    candidates, grid = torch.linspace(2, 10, 81), torch.linspace(2, 10, 9)
    loss = loss_matrix(pairs, [isnr(*pair) for pair in pairs], candidates, grid).numpy()
    error = candidates.numpy()[:, None] - grid.numpy()[None, :]
    expected = (1 + 0.2 * grid.numpy()[None, :]) * (3 * np.maximum(error, 0) + np.maximum(-error, 0))
    near = np.abs(error) <= 2
    assert np.allclose(loss[near], expected[near], atol=1e-4)
    assert (loss[~near] > 0).all()
