from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve
from torchmetrics.functional.classification import binary_calibration_error

from blurlab.metric import calibration_error, reliability

DRAW = torch.Generator().manual_seed(0)
PROBABILITY = torch.rand(500, generator=DRAW) ** 0.3
RIGHT = torch.rand(500, generator=DRAW) < 0.8 * PROBABILITY


@pytest.mark.parametrize("bins", [1, 7, 10, 15])
def test_agrees_with_torchmetrics(bins: int) -> None:
    expected = binary_calibration_error(PROBABILITY, RIGHT.long(), n_bins=bins, norm="l1")
    assert float(calibration_error(PROBABILITY, RIGHT, bins)) == pytest.approx(float(expected), abs=1e-6)


def test_the_table_agrees_with_scikit_learn() -> None:
    table = reliability(PROBABILITY, RIGHT, 10)
    share, mean = calibration_curve(RIGHT.numpy(), PROBABILITY.double().numpy(), n_bins=10)
    filled = table.count > 0
    assert int(table.count.sum()) == 500
    np.testing.assert_allclose(table.right[filled].numpy(), share, atol=1e-12)
    np.testing.assert_allclose(table.probability[filled].numpy(), mean, atol=1e-12)


def test_edges_belong_to_the_bin_above_but_1_to_the_last() -> None:
    table = reliability(torch.tensor([0.0, 0.5, 1.0]), torch.tensor([True, True, False]), 2)
    assert table.count.tolist() == [1, 2] and table.right.tolist() == [1.0, 0.5]
    assert math.isnan(reliability(torch.tensor([1.0]), torch.tensor([True]), 2).right[0])


def test_sure_and_wrong_is_an_error_of_1_and_sure_and_right_of_0() -> None:
    sure = torch.ones(3)
    assert float(calibration_error(sure, torch.zeros(3, dtype=torch.bool))) == 1
    assert float(calibration_error(sure, torch.ones(3, dtype=torch.bool))) == 0


def test_bad_answers_are_told() -> None:
    with pytest.raises(TypeError, match="right must be bool"):
        calibration_error(PROBABILITY, RIGHT.long())
    with pytest.raises(ValueError, match="softmax"):
        calibration_error(PROBABILITY + 1, RIGHT)
    with pytest.raises(ValueError, match=r"\(N,\) and \(N,\)"):
        reliability(PROBABILITY[:3], RIGHT)
    with pytest.raises(ValueError, match="bins"):
        reliability(PROBABILITY, RIGHT, bins=0)
