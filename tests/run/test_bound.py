"""The bound of each test item's parameters."""

from __future__ import annotations

import torch

from blurlab.blur import Defocus, Mixture, Motion, NoBlur, Taps
from blurlab.core.rng import generator
from blurlab.run.bound import bounds


def test_each_kind_has_the_bound_of_its_own_parameters_and_a_kind_may_be_absent() -> None:
    family = Mixture({"none": NoBlur(), "defocus": Defocus([0.5, 5]), "motion": Motion([1, 10], 0)})
    x = torch.rand(3, 1, 64, 64, generator=generator("bound"))
    kind = torch.tensor([0, 2, 2])
    params = family.at_strength(torch.tensor([0.0, 4.0, 8.0]), kind)
    bound = bounds(family, x, params, kind, torch.full((3,), 0.004))
    assert bound.shape == (3, 3) and bound[0].isnan().all()
    assert bound[1:, 0].isnan().all() and bound[1:, 2].isnan().all()  # no defocus; the angle is fixed
    assert (bound[1:, 1] > 0).all() and (bound[1:, 1] < 2).all()
    noisier = bounds(family, x, params, kind, torch.full((3,), 0.04))
    assert (noisier[1:, 1] > 1.5 * bound[1:, 1]).all()


def test_taps_have_no_bound() -> None:
    family, kind = Taps([4, 6]), torch.tensor([1])
    assert bounds(family, torch.rand(1, 1, 64, 64), torch.tensor([[4.0]]), kind, torch.full((1,), 0.01)).isnan().all()
