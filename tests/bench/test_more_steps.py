"""experiments/nonblind/more_steps.py: a longer network begins as the one that it is made of."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from blurlab.deconvolver import UNet, UnrolledDR
from blurlab.deconvolver.laws import kernels


def test_copied_steps_and_inputs_that_are_new_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "experiments" / "nonblind"))
    from more_steps import lengthened

    sys.modules.pop("more_steps")
    torch.manual_seed(0)
    small = partial(UNet, channels=(4, 8), blocks=1)
    net = UnrolledDR(small, iterations=2)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    with torch.no_grad():
        for denoiser in net.denoisers:
            denoiser.first.weight[:, 6 * 4 :] = 0  # as if it had no such inputs
    state = net.state_dict()
    before = {name: value[:, : 6 * 4] if name.endswith("first.weight") else value for name, value in state.items()}
    again = lengthened(before, [0, 1])
    assert all(torch.equal(again[name], value) for name, value in state.items())
    longer = UnrolledDR(small, iterations=3)
    longer.load_state_dict(lengthened(before, [0, 0, 1]))
    y, psf, sigma = torch.rand(1, 1, 17, 24), kernels(1), torch.full((1, 1, 1, 1), 0.01)
    assert torch.isfinite(longer(y, psf, sigma)).all()
    with pytest.raises(ValueError, match="2 the last only"):
        lengthened(before, [0, 1, 1])
