"""One climb for all tiles of an image: its information, where it ends, and the field that follows."""

from __future__ import annotations

import pytest
import torch
from test_oriented import scene

from blurlab.blur import Zernike, ZernikeField, field_places, zernike_psf
from blurlab.likelihood import FieldRefiner, Refiner, detailed
from blurlab.likelihood.climb import information_and_score, slopes
from blurlab.likelihood.field import FieldBelief, climb_field, follow
from blurlab.likelihood.field_posterior import tiles_of, unbounded
from blurlab.likelihood.whittle import guess
from blurlab.metric import psf_snr

LENS = Zernike(0.1, pixel_nm=100)
FIELD = ZernikeField(LENS)
TRUE = torch.tensor([[0.06, 0.03, -0.05, 0.05, -0.04, 0.05, 0.02, 0.15, 0.08, -0.05, 0.12]], dtype=torch.float64)


def seen(side: int, sigma: float = 0.01) -> torch.Tensor:
    x = scene(3, side + 30)
    y = FIELD.operator(TRUE.float(), shape=(side + 30, side + 30)).A(x)
    return y + sigma * torch.randn(y.shape, generator=torch.Generator().manual_seed(1))


def test_a_kernels_information_is_what_is_left_when_the_rest_is_unknown() -> None:
    """The inverse of the block of the inverse: Schur's complement, by other means."""
    problem = Refiner(unbounded(LENS), detailed()).problem(seen(96))
    state = guess(problem, TRUE[:, :7])
    whole, score = information_and_score(problem, state, slopes(problem, state))
    left, uphill, (alone, slope) = follow(problem, state)
    torch.testing.assert_close(torch.linalg.inv(left), torch.linalg.inv(whole)[:, :7, :7], rtol=1e-6, atol=1e-12)
    step = torch.linalg.solve(whole, score[..., None])[0, :, 0]
    kernel = torch.linalg.solve(left[0], uphill[0])
    torch.testing.assert_close(kernel, step[:7], rtol=1e-6, atol=1e-10)
    torch.testing.assert_close(alone[0] - slope[0] @ kernel, step[7:], rtol=1e-6, atol=1e-8)


def test_the_climb_goes_up_and_keeps_to_the_ranges() -> None:
    problem = Refiner(unbounded(LENS), detailed()).problem(seen(96))
    place = torch.zeros(1, 2, dtype=torch.float64)
    belief = FieldBelief(torch.full((11,), 0.01, dtype=torch.float64), 300 * torch.eye(11, dtype=torch.float64))
    limit = torch.full((11,), 0.05, dtype=torch.float64)
    ends = [climb_field(problem, FIELD.design(place), belief, limit, steps) for steps in (0, 3, 8)]
    assert ends[0].value > ends[1].value >= ends[2].value
    assert (ends[2].theta.abs() <= limit).all() and (ends[2].theta[:7] - 0.01).abs().max() > 0.01
    # one tile in the middle says nothing of the growth: that is as it is believed to be
    torch.testing.assert_close(ends[2].information[7:, 7:], belief.precision[7:, 7:])
    torch.testing.assert_close(ends[2].theta[7:], belief.mean[7:])


@pytest.mark.slow
def test_the_field_is_found() -> None:
    """Its kernels at four places, clearly better than one kernel for the image could be."""
    found = FieldRefiner(FIELD)(seen(300))
    at = torch.tensor([[r * 300 + 15, c * 300 + 15] for r in (0.25, 0.75) for c in (0.25, 0.75)])
    place = field_places(at, (330, 330))
    true = FIELD.psf_at(TRUE.float(), place)[0][:, None]
    ours, mean = psf_snr(found.psf_at(place)[:, None], true), psf_snr(FIELD.psf(TRUE.float()).expand_as(true), true)
    assert ours.mean() > mean.mean() + 2 and ours.mean() > 11
    own = torch.rand(31, 31, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.with_share(own, 0.25).psf_at(place), 0.75 * found.psf_at(place) + 0.25 * own)
    operator = found.operator()
    assert (psf_snr(operator.psf_at(75, 225), found.psf_at(place)[1:2][:, None]) > 35).all()
    assert 0.006 < found.sigma < 0.014 and found.turned < 0.5
    assert float(found.weight.sum()) == pytest.approx(1) and (found.covariance.diagonal() > 0).all()


def test_a_growth_that_is_known_is_kept() -> None:
    field = ZernikeField(LENS, curvature_waves=(0.1, 0.2), coma_waves=0.12)
    found = FieldRefiner(field, starts=2, iterations=2, draws=2)(seen(128))
    torch.testing.assert_close(found.draws[:, -1], torch.full_like(found.draws[:, -1], 0.12), rtol=0, atol=1e-6)
    assert found.psf_at(torch.zeros(1, 2)).isfinite().all()


def test_tiles_lie_side_by_side() -> None:
    tiles = tiles_of((300, 451), 128)
    covered = torch.zeros(300, 451)
    for (top, bottom), (left, right) in tiles:
        covered[top:bottom, left:right] += 1
    assert (covered == 1).all() and len(tiles) == 8
    assert tiles_of((70, 70), 128) == [((0, 70), (0, 70))]


def test_coefficients_of_a_place_may_leave_the_ranges_of_the_middle() -> None:
    wide = unbounded(LENS)
    beyond = torch.tensor([[-0.3, 0, 0, 0.2, 0, 0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(wide.psf(beyond), zernike_psf(beyond, LENS.modes, LENS.optics, 31))
    assert LENS.bounds[0] == (0.0, 0.1) and wide.bounds[0] == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"tile": 32}, "tile must be 64 px or more"), ({"temperature": 0.0}, "temperature > 0"), ({"draws": 0}, "draws")],
)
def test_options_that_cannot_be(options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FieldRefiner(FIELD, **options)


def test_images_that_cannot_be() -> None:
    refiner = FieldRefiner(FIELD)
    for y, said in ((torch.rand(2, 1, 80, 80), "one image"), (torch.rand(1, 1, 50, 80), "64 px a side"),
                    (torch.full((1, 1, 80, 80), 0.5), "constant")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            refiner(y)
