from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from blurlab.noise import Gaussian, NoiseModel

CONF = Path(__file__).parents[2] / "conf" / "noise"


@pytest.mark.parametrize("name", sorted(path.stem for path in CONF.glob("*.yaml")))
def test_every_member_of_the_group_makes_noise(name):
    model = instantiate(OmegaConf.load(CONF / f"{name}.yaml"))
    assert isinstance(model, NoiseModel)
    x = torch.rand(2, 1, 17, 24, generator=torch.Generator().manual_seed(0))
    y, sigma = model(x, generator=torch.Generator().manual_seed(0))
    assert y.shape == x.shape and (sigma >= 0).all()


def test_a_range_and_bsnr_can_be_set_from_a_command_line():
    cfg = OmegaConf.load(CONF / "gaussian.yaml")
    model = instantiate(OmegaConf.merge(cfg, {"sigma": None, "bsnr_db": [20, 40]}))
    assert isinstance(model, Gaussian) and model.bsnr_db == (20.0, 40.0)
