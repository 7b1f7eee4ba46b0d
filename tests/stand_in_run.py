"""A finished run whose network's answer is known: what the tool reads a run's networks from, without a training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from blurlab import api
from blurlab.blur import Taps
from blurlab.deconvolver import Wiener
from blurlab.pipeline import Direct, Pipeline, RiskTable
from blurlab.run.stage import load
from blurlab.run.stage.load import Trained


class Says(nn.Module):
    """Answers with fixed probabilities and remembers what it was shown."""

    def __init__(self, *probabilities: float) -> None:
        super().__init__()
        self.logits = torch.tensor([probabilities]).log()
        self.seen: list[Tensor] = []

    def forward(self, y: Tensor) -> Tensor:
        self.seen.append(y)
        return self.logits.expand(len(y), -1)


def trained(net: nn.Module, channel: str = "green", sigma: float | None = 0.01) -> Trained:
    identifier = Direct(Taps([3, 5]))
    table = RiskTable(identifier.taps_px, identifier.taps_px, 1 - torch.eye(3))
    return Trained(Pipeline(identifier, {"taps": net}, {"taps": table}, Wiener()), channel, 64, sigma)


def tool(monkeypatch: pytest.MonkeyPatch, made: Trained) -> api.Deblurrer:
    monkeypatch.setattr(load, "load_run", lambda run_dir: made)
    return api.Deblurrer("a run")


def photo(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).random((70, 81, channels), dtype=np.float32)
