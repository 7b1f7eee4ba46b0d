from __future__ import annotations

import pytest
import torch
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score
from sklearn.metrics import confusion_matrix as reference_confusion

from blurlab.metric import accuracy, confusion_matrix, wilson

PREDICTED, TRUE = torch.randint(0, 4, (2, 200), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe, Statistics in Medicine 17:857-872 (1998), table I, score method without continuity correction.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes, n, low, high):
    assert [round(end, 4) for end in wilson(successes, n)] == [low, high]


@pytest.mark.parametrize(("successes", "n", "confidence"), [(0, 7, 0.95), (7, 7, 0.9), (3, 11, 0.99), (959, 1000, 0.5)])
def test_wilson_agrees_with_scipy(successes, n, confidence):
    reference = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert wilson(successes, n, confidence) == pytest.approx((reference.low, reference.high), abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"), [((1, 0), "n >= 1"), ((3, 2), "successes=3, n=2"), ((1, 2, 95), "0.95")]
)
def test_wilson_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        wilson(*arguments)


def test_accuracy_and_confusion_agree_with_scikit_learn():
    assert accuracy(PREDICTED, TRUE).mean().item() == pytest.approx(accuracy_score(TRUE, PREDICTED))
    expected = reference_confusion(TRUE, PREDICTED, labels=range(5))
    assert confusion_matrix(PREDICTED, TRUE, 5).tolist() == expected.tolist()


def test_bad_classes():
    with pytest.raises(TypeError, match="argmax"):
        accuracy(torch.rand(3), torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        accuracy(torch.tensor([0, 1]), torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match=r"classes must be 0\.\.1, got 0\.\.2"):
        confusion_matrix(torch.tensor([0, 2]), torch.tensor([0, 1]), 2)
