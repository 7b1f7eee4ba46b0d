"""Networks in one file: what was written comes back, and what cannot be read is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from blurlab.pipeline.calibration import PosteriorCalibration
from blurlab.pipeline.shipped import load_nets, save_nets


def test_networks_come_back_weights_in_half_precision_and_a_calibration_as_it_was(tmp_path: Path) -> None:
    net, scale = nn.Linear(20, 7), PosteriorCalibration(torch.rand(3), torch.rand(3), 1.2345678, 0.1)
    save_nets({"blur": net, "scale": scale}, tmp_path / "a.safetensors", {"made": "here"})
    found = load_nets(str(tmp_path / "a.safetensors"))
    assert torch.equal(found["blur"]["weight"], net.weight.half().float())
    assert all(torch.equal(found["scale"][name], value) for name, value in scale.state_dict().items())


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="neither a file nor one of fundus, photograph"):
        load_nets("nothing")
    (tmp_path / "cut.safetensors").write_bytes(b"\x00" * 5)
    with pytest.raises(ValueError, match=r"cut\.safetensors cannot be read as weights"):
        load_nets(str(tmp_path / "cut.safetensors"))
