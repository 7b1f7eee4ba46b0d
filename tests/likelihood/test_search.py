"""Where a fit begins: the grid, its ranking, and items whose highest peak lies between the points of a coarse grid."""

from __future__ import annotations

import pytest
import torch
from fields import FAMILIES, observe

from blurlab.blur import (
    AnisotropicGaussian,
    BlurFamily,
    CorrelatedGaussian,
    Defocus,
    Gaussian,
    Motion,
    NoBlur,
    Trajectory,
    Zernike,
)
from blurlab.likelihood import Refiner, natural
from blurlab.likelihood.search import DISTINCT, FLOOR, SHORTLIST, catalogue, grid, search
from blurlab.likelihood.taper import AT_ONCE, leak, leakage
from blurlab.likelihood.whittle import otf_power

NARROW = [[3.4, 160.0], [12.3, 174.0], [15.6, 175.0], [13.3, 173.5], [3.9, 160.2]]
"""Lines whose peak is a few degrees and a tenth of the length wide: from a grid of 1 px others were found, shorter,
half as long again, or mirrored."""


def test_finds_lines_whose_peak_is_narrow() -> None:
    family, params = Motion([3, 20], [0, 180]), torch.tensor(NARROW)
    y = observe(family, params, 128)
    refiner = Refiner(family)
    fit = refiner(y)
    assert (fit.params - params).abs().amax(0).tolist() == pytest.approx([0, 0], abs=0.4)
    assert (fit.log_likelihood > refiner(y, params).log_likelihood - 1).all()


@pytest.mark.parametrize("kind", FAMILIES)
def test_one_of_the_starts_is_near_and_none_is_like_another(kind: str) -> None:
    family, params = FAMILIES[kind]
    refiner = Refiner(family)
    known = refiner.catalogue(64)
    starts = search(refiner.problem(observe(family, torch.tensor([params] * 3), 128)), known, 4)
    assert starts.shape == (3, 4, len(params))
    off = (starts - torch.tensor(params)).abs() / torch.tensor(params)
    assert (off.amax(2).amin(1) < 0.15).all(), off
    seen = {tuple(row): shape for row, shape in zip(known.params.tolist(), known.blurred / known.content, strict=True)}
    for some in starts:
        shapes = torch.stack([(seen[tuple(row)] + FLOOR).log() for row in some.tolist()])
        apart = (shapes[:, None] - shapes).square().mean(-1)[~torch.eye(4, dtype=torch.bool)]
        assert apart.min() >= DISTINCT


def test_a_catalogue_is_what_a_typical_photograph_shows() -> None:
    family, prior = Defocus([1, 8]), natural()
    known = catalogue(family, prior, 32, 1)
    assert torch.equal(known.params, grid(family)) and known.blurred.shape == (len(known.params), len(known.picked))
    sharp = catalogue(NoBlur(), prior, 32, 1).blurred
    ratio = known.blurred / sharp
    assert (ratio < 1.2).all() and (ratio.mean(1).diff() < 0).all()  # the larger the disk, the less is left


def test_fewer_kernels_than_starts_are_all_starts() -> None:
    family = Gaussian([1, 3])
    refiner = Refiner(family)
    starts = search(refiner.problem(observe(family, torch.tensor([[2.0]]), 64)), refiner.catalogue(64), 9)
    assert starts.shape == (1, 3, 1) and sorted(starts.flatten().tolist()) == [1, 2, 3]
    assert len(Refiner(Motion([3, 20], [0, 180])).catalogue(64).params) > SHORTLIST


@pytest.mark.parametrize(
    "family", [Motion([0, 10], [0, 180]), AnisotropicGaussian(), Defocus([0, 3]), CorrelatedGaussian()]
)
def test_a_grid_covers_the_ranges(family: BlurFamily) -> None:
    rows = grid(family)
    low, high = torch.tensor(family.bounds, dtype=torch.float64).T
    assert ((rows >= low) & (rows <= high)).all() and len(rows) < 4000
    assert torch.equal(rows.amin(0), low)
    goes_round = torch.tensor([one.goes_round for one in family.parameters])
    assert torch.allclose(rows.amax(0)[~goes_round], high[~goes_round])


def test_grid_holds_fixed_parameters_and_is_finer_for_weak_blurs() -> None:
    fixed = grid(Motion([1, 10], 30))
    assert (fixed[:, 1] == 30).all() and len(fixed) == len(fixed.unique(dim=0)) > 10
    radius = grid(Defocus([1, 8]))[:, 0]
    assert (radius.diff().diff() > 0).all() and radius.diff()[0] < 0.1
    turning = grid(Motion([3, 20], [0, 180]))
    long, short = (turning[turning[:, 0].round(decimals=6) == length][:, 1] for length in (20, 3))
    assert turning[:, 1].max() < 180 and long.diff().max() < 1.5 and len(short) == 36
    assert grid(NoBlur()).shape == (1, 0)


def test_a_grid_has_each_ellipse_once() -> None:
    rows = grid(AnisotropicGaussian([1, 3], [1, 3], [0, 180]))
    assert (rows[:, 0] >= rows[:, 1]).all() and len(rows) > 20
    one_way = grid(AnisotropicGaussian([1, 3], [1, 3], 0))
    assert (one_way[:, 0] < one_way[:, 1]).any()  # not turned by 90 degrees: another kernel


@pytest.mark.parametrize("correlation", [-0.6, 0.4])
def test_a_sign_is_found(correlation: float) -> None:
    family, params = CorrelatedGaussian([0.8, 3], [0.8, 3], [-0.8, 0.8]), torch.tensor([[2.0, 1.2, correlation]] * 3)
    fit = Refiner(family)(observe(family, params, 128))
    assert (fit.params - params).abs().amax(0).tolist() == pytest.approx([0, 0, 0], abs=0.15)


def test_an_ellipse_is_found_by_its_longer_axis() -> None:
    family, params = AnisotropicGaussian([0.8, 3], [0.8, 3], [0, 180]), torch.tensor([[2.4, 1.0, 160.0]] * 3)
    fit = Refiner(family)(observe(family, params, 128), torch.tensor([[1.1, 2.2, 75.0]] * 3))
    off = family.apart(params, fit.params.float()).abs().amax(0)
    assert off[:2].max() < 0.2 and off[2] < 4, off


def test_what_no_image_tells_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="no image tells the path_seed of trajectory; fix it"):
        Refiner(Trajectory())
    fixed = Refiner(Trajectory([0.25, 1], 12, path_seed=5, size=15))
    assert len(fixed.catalogue(32).params) == 5 and (fixed.catalogue(32).params[:, 2] == 5).all()


def test_many_spectra_leak_as_each_alone() -> None:
    power = otf_power(Defocus([1, 8]).psf(torch.linspace(1, 8, AT_ONCE + 7, dtype=torch.float64)[:, None]), 16)
    together = leak(power, leakage(16, 1))
    alone = torch.stack([leak(one, leakage(16, 1)) for one in power])
    assert torch.allclose(together, alone, atol=1e-14) and not torch.allclose(together, power, atol=1e-3)


def test_what_is_believed_of_a_kernel_picks_among_its_peaks_and_gives_way_to_what_the_image_says() -> None:
    family = Motion([3, 20], [0, 180])
    true = torch.tensor([[12.0, 40.0]])
    refiner = Refiner(family)
    y = observe(family, true, 64)
    near = refiner(y, torch.tensor([[11.0, 43.0]]), torch.tensor([[1.0, 4.0]]))
    assert (near.params - true).abs().amax(0).tolist() == pytest.approx([0, 0], abs=0.6)
    stubborn = refiner(y, torch.tensor([[6.0, 100.0]]), torch.tensor([[1e-3, 1e-2]]))
    assert (stubborn.params - torch.tensor([[6.0, 100.0]])).abs().max() < 0.2
    assert float(stubborn.log_likelihood) < float(near.log_likelihood)
    turned = refiner(y, torch.tensor([[11.0, 223.0]]), torch.tensor([[1.0, 4.0]]))  # half a turn more is the same line
    torch.testing.assert_close(turned.params, near.params, rtol=1e-3, atol=1e-2)


def test_many_axes_are_scattered_not_laid_out() -> None:
    family = Zernike(pixel_nm=100)
    points = grid(family)
    assert points.shape == (4096, 7) and bool(family.holds(points).all())
    assert torch.equal(points, grid(family))
    thirds = torch.histc(points[:, 1].float(), 3, -0.15, 0.15)
    assert float((thirds - 4096 / 3).abs().max()) < 5
