"""A training that goes on from given weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from blurlab.pipeline.shipped import save_nets
from blurlab.run.errors import UsageError
from blurlab.run.stage.train import load_start


def test_a_network_starts_from_the_one_of_its_name(tmp_path: Path) -> None:
    given, other, net = nn.Linear(30, 7), nn.Linear(30, 7), nn.Linear(30, 7)
    save_nets({"blur": given, "other": other}, tmp_path / "a.safetensors", {"made": "here"})
    load_start(net, str(tmp_path / "a.safetensors"), "blur")
    assert torch.equal(net.weight, given.weight.half().float()) and torch.equal(net.bias, given.bias)


@pytest.mark.parametrize(("name", "outputs"), [("missing", 7), ("blur", 8)])
def test_a_start_that_does_not_fit_is_told_in_one_line(tmp_path: Path, name: str, outputs: int) -> None:
    save_nets({"blur": nn.Linear(30, 7)}, tmp_path / "a.safetensors", {"made": "here"})
    with pytest.raises(UsageError, match=r"stage\.train\.start=.* is no start for") as caught:
        load_start(nn.Linear(30, outputs), str(tmp_path / "a.safetensors"), name)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="neither a file nor one of fundus, photograph"):
        load_start(nn.Linear(30, 7), "nothing", "blur")
