"""The bound of each test item's parameters."""

from __future__ import annotations

import torch

from blurlab.blur import Defocus, Mixture, Motion, NoBlur, Taps, Trajectory
from blurlab.core.rng import generator
from blurlab.run.record.bounds import bounds


def test_each_kind_has_the_bound_of_its_own_parameters_and_a_kind_may_be_absent() -> None:
    family = Mixture({"none": NoBlur(), "defocus": Defocus([0.5, 5]), "motion": Motion([1, 10], 0)})
    x = torch.rand(3, 1, 64, 64, generator=generator("bound"))
    kind = torch.tensor([0, 2, 2])
    params = family.at_strength(torch.tensor([0.0, 4.0, 8.0]), kind)
    found = bounds(family, x, params, kind, torch.full((3,), 0.004))
    bound = found["bound"]
    assert bound.shape == (3, 3) and bound[0].isnan().all()
    assert bound[1:, 0].isnan().all() and bound[1:, 2].isnan().all()  # no defocus; the angle is fixed
    assert (bound[1:, 1] > 0).all() and (bound[1:, 1] < 2).all()
    noisier = bounds(family, x, params, kind, torch.full((3,), 0.04))
    assert (noisier["bound"][1:, 1] > 1.5 * bound[1:, 1]).all()

    for easier, harder in (("bound_spectrum", "bound"), ("bound_image", "bound_spectrum")):
        assert (found[easier][1:, 1] < found[harder][1:, 1]).all()
    assert (found["ceiling"] > noisier["ceiling"]).all() and (noisier["ceiling"] > 0.5).all()


def test_kinds_that_are_alike_cannot_be_told_apart() -> None:
    family = Mixture({"none": NoBlur(), "motion": Motion([1, 10], 0)})
    x = torch.rand(3, 1, 64, 64, generator=generator("ceiling"))
    kind = torch.tensor([1, 1, 1])
    params = family.at_strength(torch.tensor([1.0, 1.1, 6.0]), kind)
    ceiling = bounds(family, x, params, kind, torch.full((3,), 0.05))["ceiling"]
    assert float(ceiling[0]) < 0.51 and ceiling[0] < ceiling[1] < ceiling[2] and float(ceiling[2]) > 0.999


def test_what_no_image_tells_has_no_bound_and_no_kind_a_ceiling_beside_it() -> None:
    path = Trajectory([0.3, 1], 12, size=15)
    family = Mixture({"path": path, "motion": Motion([1, 10], 0)})
    params, kind = torch.full((2, 5), torch.nan), torch.zeros(2, dtype=torch.long)
    params[:, :3] = path.draw(2, generator=generator("path"))[1]
    found = bounds(
        family, torch.rand(2, 1, 64, 64, generator=generator("bound")), params, kind, torch.full((2,), 0.004)
    )
    assert (found["bound"][:, 0] > 0).all() and found["bound"][:, 2].isnan().all() and found["ceiling"].isnan().all()


def test_taps_have_no_bound() -> None:
    family, kind = Taps([4, 6]), torch.tensor([1])
    assert (
        bounds(family, torch.rand(1, 1, 64, 64), torch.tensor([[4.0]]), kind, torch.full((1,), 0.01))["bound"]
        .isnan()
        .all()
    )


def test_a_constant_patch_has_no_bound_and_ends_nothing() -> None:
    family = Mixture({"defocus": Defocus([0.5, 5]), "motion": Motion([1, 10], 0)})
    x = torch.rand(2, 1, 64, 64, generator=generator("bound"))
    x[0] = 0.4
    kind = torch.tensor([1, 1])
    params = family.at_strength(torch.tensor([4.0, 8.0]), kind)
    found = bounds(family, x, params, kind, torch.full((2,), 0.004))
    assert found["bound"][0].isnan().all() and found["ceiling"].isnan().tolist() == [True, False]
    assert float(found["bound"][1, 1]) > 0


def test_a_line_along_a_row_is_no_less_certain_than_its_range() -> None:
    family = Motion([3, 20], [0, 180])
    x = torch.rand(1, 1, 64, 64, generator=generator("row"))
    bound = bounds(family, x, torch.tensor([[10.0, 0.0]]), torch.zeros(1, dtype=torch.long), torch.full((1,), 0.004))
    assert (bound["bound"][0] < torch.tensor([17.0, 180.0]) / 12**0.5 * 1.01).all()
