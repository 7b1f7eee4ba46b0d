"""experiments/schuler2016/fit_stage.py: its score tells right kernels from wrong ones, and the search never loses."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch.nn.functional import pad

from blurlab.blur import GPTrajectory
from blurlab.blur.shape import recentred
from blurlab.core.rng import generator
from blurlab.head import RepeatedStage

FOLDER = Path(__file__).parents[2] / "experiments" / "schuler2016"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.syspath_prepend(FOLDER)
    import fit_stage

    return fit_stage


def kernels(count: int = 4) -> torch.Tensor:
    family = GPTrajectory((9, 13), size=13)
    kind, params = family.draw(count, generator=generator("fit"))
    return family.psf(params, kind).float()


def test_the_score_is_nought_for_the_kernel_itself_wherever_it_lies(script) -> None:  # type: ignore[no-untyped-def]
    psf = kernels()
    for same in (psf, pad(psf, (3, 1, 0, 4)), pad(psf, (0, 2, 4, 0))):
        torch.testing.assert_close(script.log_error_ratio(same, psf), torch.zeros(4), rtol=0, atol=1e-3)
    down, right = script.apart(pad(psf, (5, 0, 2, 0)), psf)
    assert down.tolist() == [2.0] * 4 and right.tolist() == [5.0] * 4


def test_the_score_rises_with_the_error_and_falls_with_the_noise(script) -> None:  # type: ignore[no-untyped-def]
    psf = kernels()
    flat = torch.full_like(psf, 1 / psf[0].numel())
    errors = [script.log_error_ratio(torch.lerp(psf, flat, share), psf) for share in (0.1, 0.3, 1.0)]
    assert all(bool((less < more).all()) for less, more in pairwise(errors))
    assert bool((script.log_error_ratio(flat, psf, 0.1) < errors[-1]).all())
    assert bool((script.log_error_ratio(recentred(psf), psf) < errors[0]).all())


def test_the_first_numbers_are_the_network_s_own(script) -> None:  # type: ignore[no-untyped-def]
    made, fresh = script.Numbers().network().state_dict(), RepeatedStage(13**2).state_dict()
    assert made.keys() == fresh.keys()
    assert all(torch.allclose(made[name], fresh[name]) for name in made)
    other = replace(script.Numbers(), threshold=1.0, least_share=0.2).network()
    assert other.log_threshold.item() == 1 and other.least_share.item() == pytest.approx(0.2)


@pytest.mark.slow
def test_a_search_keeps_what_is_better_and_nothing_else(script) -> None:  # type: ignore[no-untyped-def]
    photograph = torch.rand(1, 1, 40, 40, generator=generator("photograph"))
    large = torch.nn.functional.interpolate(photograph, (260, 260), mode="nearest")[0, 0]
    items = script.drawn([large], 1, [0.003], seed=0)
    assert [psf.shape[-1] for _, psf in items] == list(script.SIDES_PX)
    begin = replace(script.Numbers(), threshold=-1.0)
    before = script.score(begin, items)
    found, after = script.searched(begin, items, sweeps=1, jobs=1)
    assert after <= before and after == pytest.approx(script.score(found, items), abs=1e-4)
