from __future__ import annotations

import json
import runpy
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from blurlab.core.rng import seed_from
from blurlab.dataset.fundus_synthetic import FundusSynthetic, fundus
from blurlab.dataset.synthetic import draw_vessels, draw_view, grow_vessels
from blurlab.dataset.synthetic.texture import power_field

GOLDEN = Path(__file__).parents[1] / "golden"
_SCRIPT = runpy.run_path(str(GOLDEN / "make_fundus_spectra.py"))
EDGES, measures, prepared_green = (_SCRIPT[name] for name in ("EDGES", "measures", "prepared_green"))
BANDS = len(EDGES) - 1
PHOTOS = 24


@lru_cache(maxsize=1)
def reference() -> dict[str, dict[str, dict[str, list[float]]]]:
    return json.loads((GOLDEN / "fundus_spectra.json").read_text())


@lru_cache(maxsize=1)
def measured() -> np.ndarray:
    return np.stack([measures(prepared_green(fundus(seed))) for seed in range(PHOTOS)])


def pooled(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and per-image standard deviation of a half-and-half mixture of the two real sets."""
    sets = [reference()[folder][name] for folder in ("drive", "chase_db1")]
    mean = np.array([part["mean"] for part in sets])
    var = np.array([part["std"] for part in sets]) ** 2
    return mean.mean(0), np.sqrt(var.mean(0) + mean.var(0))


def test_edges_are_those_of_the_reference() -> None:
    assert reference()["edges_cycles_per_px"] == EDGES.tolist()


@pytest.mark.slow
def test_radial_spectra_lie_within_the_spread_of_real_photographs() -> None:
    mean, std = pooled("power_db")
    ours = measured()[:, :BANDS]
    # a mean of 24 photographs has a standard error near 1 dB itself
    assert np.abs(ours.mean(0) - mean).max() < 2.5, (ours.mean(0) - mean).round(2)
    ratio = ours.std(0, ddof=1) / std
    assert ratio.min() > 0.6 and ratio.max() < 1.6, ratio.round(2)


@pytest.mark.slow
def test_balance_of_directions_and_kurtosis_are_those_of_real_photographs() -> None:
    mean, std = pooled("balance_db")
    assert (np.abs(measured()[:, BANDS : 2 * BANDS].mean(0) - mean) < std).all()
    mean, _ = pooled("log_kurtosis")
    # a factor of 1.4; white noise alone would lie a factor of 1.8 below
    assert abs(measured()[:, -1].mean() - mean[0]) < np.log10(1.4)


@pytest.mark.slow
def test_each_band_is_within_a_decibel_and_a_half_over_many_photographs() -> None:
    more = np.stack([measures(prepared_green(fundus(seed))) for seed in range(1000, 1036)])
    rows = np.concatenate([measured(), more])[:, :BANDS]
    mean, std = pooled("power_db")
    assert np.abs(rows.mean(0) - mean).max() < 1.5, (rows.mean(0) - mean).round(2)
    ratio = rows.std(0, ddof=1) / std
    assert ratio.min() > 0.75 and ratio.max() < 1.35, ratio.round(2)


def test_same_seed_same_photograph_other_seed_another() -> None:
    first = fundus(5, size=96)
    np.testing.assert_array_equal(first, fundus(np.random.default_rng(5), size=96))
    assert np.abs(first - fundus(6, size=96)).mean() > 0.01


@pytest.mark.parametrize("size", [65, 128, 200])
def test_shape_range_and_black_surround(size: int) -> None:
    photo = fundus(2, size=size)
    assert photo.shape == (size, size, 3) and photo.dtype == np.float32
    assert photo.min() >= 0 and photo.max() <= 1
    np.testing.assert_allclose(photo * 255, np.rint(photo * 255), atol=1e-4)
    corners = photo[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.max() < 0.1 < photo[size // 2, size // 2].max()


def test_size_changes_the_sampling_not_the_eye() -> None:
    small = fundus(4, size=128)
    large = fundus(4, size=256).reshape(128, 2, 128, 2, 3).mean((1, 3))
    inside = np.hypot(*(np.mgrid[:128, :128] - 63.5)) < 55
    assert np.corrcoef(small[inside, 1], large[inside, 1])[0, 1] > 0.85


def test_too_small_a_photograph_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 64"):
        fundus(0, size=63)


def test_eye_coordinates_are_the_inverse_of_pixels() -> None:
    view = draw_view(np.random.default_rng(1), 200)
    points = np.random.default_rng(0).uniform(-15, 15, (17, 2))
    pixels = view.to_pixels(points)
    u, v = view.to_eye(pixels[:, 0].astype(np.float32), pixels[:, 1].astype(np.float32))
    np.testing.assert_allclose(np.stack([u, v], axis=1), points, atol=1e-4)


def test_vessels_are_continuous_taper_and_spare_the_fovea() -> None:
    branches = grow_vessels(np.random.default_rng(3), (15.0, 0.0), 22.0)
    assert {branch.artery for branch in branches} == {False, True}
    for branch in branches:
        assert np.hypot(*np.diff(branch.points, axis=0).T).max() < 0.8
        assert branch.radius[-1] <= branch.radius.max() and 0 < branch.radius.max() < 0.4
    thin = np.concatenate([branch.points for branch in branches if branch.radius.max() < 0.1])
    assert np.hypot(thin[:, 0] - 15.5, thin[:, 1] - 1.2).min() > 1.5


def test_drawn_depth_follows_a_vessel() -> None:
    view = draw_view(np.random.default_rng(1), 256)
    branches = grow_vessels(np.random.default_rng(3), view.field_in_eye, view.radius_deg)
    depth = draw_vessels(branches, view)
    trunk = max((branch for branch in branches if not branch.artery), key=lambda branch: branch.radius.mean())
    x, y = np.rint(view.to_pixels(trunk.points)).astype(int).T
    seen = (x >= 2) & (x < 254) & (y >= 2) & (y < 254)
    assert depth.vein[y[seen], x[seen]].min() > 0.2
    assert depth.vein.min() >= 0 and depth.vein.max() <= 1 and (depth.vein == 0).mean() > 0.5


def test_power_field_has_the_slope_it_was_asked_for() -> None:
    fields = [power_field(np.random.default_rng(i), 128, 2.5, 0.001, 1e3) for i in range(8)]
    power = np.mean([np.abs(np.fft.fft2(field)) ** 2 for field in fields], axis=0)
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
    use = (f > 0.03) & (f < 0.45)
    slope = np.polyfit(np.log(f[use]), np.log(power[use]), 1)[0]
    assert abs(slope + 2.5) < 0.05


def test_source_lists_and_loads_photographs_by_seed_and_index() -> None:
    source = FundusSynthetic(n=3, seed=1, size=64)
    photos = source.photos()
    assert len(photos) == 3
    again = FundusSynthetic(n=2, seed=1, size=64)
    np.testing.assert_array_equal(source.load(photos[1]), again.load(again.photos()[1]))
    other = FundusSynthetic(n=2, seed=2, size=64)
    assert not np.array_equal(source.load(photos[1]), other.load(other.photos()[1]))


def test_source_refuses_no_photographs() -> None:
    with pytest.raises(ValueError, match="n must be"):
        FundusSynthetic(n=0)


def test_an_eye_with_a_vessel_that_leaves_the_photograph_at_its_first_step_is_drawn() -> None:
    image = fundus(seed_from(0, FundusSynthetic.name, 1180), size=256)
    assert image.shape == (256, 256, 3) and np.isfinite(image).all()
