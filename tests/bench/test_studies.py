"""experiments/schuler2016/studies.py: what is compared can be made."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from blurlab.head import LearningToDeblur

FOLDER = Path(__file__).parents[2] / "experiments" / "schuler2016"


@pytest.mark.slow
def test_every_architecture_can_be_made_and_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    import studies

    nets = {name: LearningToDeblur(81, sides_px=[9], **options) for name, options in studies.ARCHITECTURES.items()}
    weights = [sum(one.numel() for one in net.parameters()) for net in nets.values()]
    assert len({*weights}) == len(nets)
    y = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert all(net.eval().kernel(y).shape == (1, 1, 9, 9) for net in nets.values())
