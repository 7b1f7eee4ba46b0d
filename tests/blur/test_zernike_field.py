"""A field of aberrations against its formula and SciPy; a convex set of operators; points that lie far apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.interpolate import RBFInterpolator
from torch import Tensor

from blurlab.blur import (
    Defocus,
    OperatorHull,
    Zernike,
    ZernikeField,
    farthest_points,
    field_places,
    onto_simplex,
    operator_hull,
    spread_shares,
    zernike_psf,
)
from blurlab.metric import psf_snr
from blurlab.physics import EigenBlur, conjugate_gradient, eigen_kernels, grid_places, thin_plate_maps

LENS = Zernike(0.1, pixel_nm=100)
FIELD = ZernikeField(LENS)
MILD = ZernikeField(LENS, [-0.1, 0.1], [-0.05, 0.05], [-0.05, 0.05], [-0.1, 0.1])


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def params(count: int = 3, seed: int = 0) -> Tensor:
    return FIELD.draw(count, generator=torch.Generator().manual_seed(seed))[1].double()


def test_its_coefficients_follow_the_formula() -> None:
    one = params(1)
    v, u = -0.3, 0.4
    waves = FIELD.waves_at(one, torch.tensor([[v, u]], dtype=torch.float64))[0, 0]
    *middle, curvature, across, down, coma = one[0].tolist()
    expected = torch.tensor(middle, dtype=torch.float64)
    expected[0] += 0.25 * curvature + across * u + down * v
    expected[3] -= coma * v  # Noll 7 is the coma of the sine, which runs up
    expected[4] += coma * u
    torch.testing.assert_close(waves, expected)


def test_its_coma_points_away_from_the_centre() -> None:
    """The centre of mass of a kernel of coma alone lies on the line from the field's centre, all on one side."""
    coma = torch.zeros(1, 11, dtype=torch.float64)
    coma[0, -1] = 0.1
    place = torch.tensor([[0.5, 0.0], [0.0, 0.5], [-0.4, -0.3]], dtype=torch.float64)
    kernels = FIELD.psf_at(coma, place)[0]
    line = torch.arange(31, dtype=torch.float64) - 15
    off = torch.stack([kernels.sum(2) @ line, kernels.sum(1) @ line], 1)
    along = (off * place).sum(1) / place.norm(dim=1)
    across = (off[:, 0] * place[:, 1] - off[:, 1] * place[:, 0]) / place.norm(dim=1)
    assert (along.sign() == along[0].sign()).all() and (across.abs() < 0.05 * along.abs()).all()


@pytest.mark.parametrize("boundary", ["valid", "reflect"])
@pytest.mark.parametrize(("field", "least_db"), [(MILD, 40.0), (FIELD, 30.0)])
def test_its_operator_has_the_kernels_of_the_formula(field: ZernikeField, least_db: float, boundary: str) -> None:
    """Everywhere, between the points of the grid too: what ten terms leave out is next to nothing."""
    shape, lost = (70, 95), 15 if boundary == "valid" else 0
    found = field.draw(3, generator=torch.Generator().manual_seed(0))[1].double()
    operator = field.operator(found, shape=shape, boundary=boundary)
    for row, col in ((0, 0), (17, 29), (39, 64)):
        place = field_places(torch.tensor([[row + lost, col + lost]], dtype=torch.float64), shape)
        waves = field.waves_at(found, place)[:, 0]
        expected = zernike_psf(waves, LENS.modes, LENS.optics, 31)
        assert (psf_snr(operator.psf_at(row, col), expected) > least_db).all()


def test_with_all_terms_the_kernels_on_the_grid_are_exact() -> None:
    found, shape = params(2), (65, 81)
    operator = ZernikeField(LENS, terms=81).operator(found, shape=shape, boundary="reflect")
    exact = FIELD.psf_at(found, field_places(grid_places(shape, (9, 9)), shape))
    for point, (row, col) in enumerate(itertools.product(range(0, 65, 8), range(0, 81, 10))):
        torch.testing.assert_close(operator.psf_at(row, col)[:, 0], exact[:, point], rtol=0, atol=1e-6)


def test_its_kernel_is_the_mean_over_a_square() -> None:
    found = params()
    line = torch.linspace(-1, 1, 41, dtype=torch.float64)
    share = torch.ones(41, dtype=torch.float64)
    share[[0, -1]] = 0.5
    share = torch.outer(share, share).flatten() / share.sum() ** 2
    kernels = FIELD.psf_at(found, torch.cartesian_prod(line, line) / 2**0.5)
    assert (psf_snr(FIELD.psf(found), torch.einsum("m,nmij->nij", share, kernels)[:, None]) > 45).all()


def test_its_two_descriptions_are_one_blur_and_its_reverse_is_turned() -> None:
    found = params()
    place = torch.tensor([[0.0, 0.0], [0.6, -0.2]], dtype=torch.float64)
    kernels = FIELD.psf_at(found, place)
    other = found.clone()
    other[:, FIELD.even] *= -1
    torch.testing.assert_close(FIELD.psf_at(other, place), kernels)
    torch.testing.assert_close(FIELD.within(other), found)
    torch.testing.assert_close(FIELD.psf_at(FIELD.reversed(found), place), kernels.flip(-2, -1))


def test_the_same_seed_gives_the_same_field() -> None:
    assert torch.equal(params(seed=4), params(seed=4)) and not torch.equal(params(seed=4), params(seed=5))


def test_eigen_blur_is_scipys_sum() -> None:
    """Singular vectors by NumPy, splines and convolutions by SciPy."""
    psf, shape, x = draw(1, 3, 4, 5, 5), (17, 24), draw(1, 1, 17, 24, seed=1)
    rows = psf.reshape(12, 25).numpy()
    basis = np.linalg.svd(rows, full_matrices=False)[2][:4]
    place = np.array([*itertools.product(np.linspace(0, 16, 3), np.linspace(0, 23, 4))])
    pixels = np.array([*itertools.product(range(17), range(24))], dtype=float)
    maps = RBFInterpolator(place, rows @ basis.T, kernel="thin_plate_spline")(pixels).T.reshape(4, 17, 24)
    terms = [ndimage.convolve(one * x[0, 0].numpy(), h.reshape(5, 5), mode="constant") for one, h in zip(maps, basis)]  # noqa: B905
    found = EigenBlur.of_grid(psf, shape, "zero", terms=4).A(x)
    np.testing.assert_allclose(found[0, 0].numpy(), sum(terms), atol=1e-10)


def test_no_other_kernels_leave_less() -> None:
    psf = draw(12, 5, 7)
    basis, coefficient = eigen_kernels(psf, 3)
    rest = (psf - torch.einsum("mk,kij->mij", coefficient, basis)).square().sum()
    torch.testing.assert_close(rest, torch.linalg.svdvals(psf.flatten(1))[3:].square().sum())
    torch.testing.assert_close(basis.flatten(1) @ basis.flatten(1).T, torch.eye(3, dtype=torch.float64))
    assert (coefficient.sum(0) >= 0).all()


def test_a_plane_bends_nowhere() -> None:
    place = grid_places((9, 13), (3, 3))
    plane = thin_plate_maps(place, (2 * place[:, :1] - place[:, 1:] + 3), (9, 13))
    torch.testing.assert_close(plane[0, 3, 5], torch.tensor(4.0, dtype=torch.float64))


def test_solve_needs_fewer_applications_than_without_its_preconditioner() -> None:
    operator, rhs = FIELD.operator(params(1), shape=(60, 70), boundary="reflect"), draw(1, 1, 60, 70)

    def applications(own: bool) -> int:
        count = []
        with torch.no_grad():
            conjugate_gradient(
                lambda x: count.append(1) or operator.normal(x, 0.01),  # type: ignore[func-returns-value]
                rhs,
                precondition=(lambda x: operator._approximate_inverse(x, 0.01)) if own else None,
                tolerance=1e-2,
            )
        return len(count)

    assert 0 < applications(own=True) < 0.6 * applications(own=False)


def test_a_window_keeps_kernels_and_kind() -> None:
    operator = FIELD.operator(params(1), shape=(80, 90), boundary="valid")
    part = operator.window((10, 30), (5, 45))
    assert isinstance(part, EigenBlur)
    torch.testing.assert_close(part.psf_at(3, 4), operator.psf_at(13, 9))


def test_the_hull_mixes_its_corners() -> None:
    hull = operator_hull(FIELD, corners=3)
    shares = torch.tensor([[0.2, 0.3, 0.5]])
    corners = [hull.operator(one[None], shape=(41, 51), boundary="reflect").psf_at(9, 30) for one in torch.eye(3)]
    mixed = hull.operator(shares, shape=(41, 51), boundary="reflect").psf_at(9, 30)
    expected = sum(share * one for share, one in zip(shares[0], corners, strict=True))
    assert float(psf_snr(mixed, expected)) > 35
    torch.testing.assert_close(hull.within(torch.tensor([[2.0, 0.0, 0.0]])), torch.tensor([[1.0, 0.0, 0.0]]))
    drawn = hull.draw(500, generator=torch.Generator().manual_seed(0))[1]
    assert (drawn >= 0).all() and (drawn.sum(1) - 1).abs().max() < 1e-5
    torch.testing.assert_close(drawn.mean(0), torch.full((3,), 1 / 3), rtol=0, atol=0.04)


def test_points_spread_over_a_square_find_its_corners() -> None:
    corner = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    shares = spread_shares(corner @ corner.T, 4, generator=torch.Generator().manual_seed(1))
    apart = torch.cdist(shares @ corner, corner).min(0).values
    assert apart.max() < 0.05 and (shares >= 0).all() and (shares.sum(1) - 1).abs().max() < 1e-9


def test_points_spread_out_are_farther_apart_than_drawn_ones() -> None:
    hull = operator_hull(FIELD, corners=5)
    flat = hull.kernels.flatten(1)

    def objective(shares: Tensor) -> float:
        return float(torch.cdist(shares @ flat, shares @ flat).fill_diagonal_(torch.inf).min(1).values.sum())

    drawn = hull.draw(8, generator=torch.Generator().manual_seed(0))[1]
    assert objective(hull.spread(8)) > 1.5 * objective(drawn)


def test_each_farthest_point_is_the_farthest() -> None:
    place = draw(30, 2)
    distance = torch.cdist(place, place)
    chosen = farthest_points(distance, 6, first=3).tolist()
    assert chosen[0] == 3 and len({*chosen}) == 6
    for count in range(1, 6):
        nearest = distance[chosen[:count]].min(0).values
        assert chosen[count] == int(nearest.argmax())


def test_the_nearest_shares_are_the_nearest() -> None:
    values, grid = draw(5, 3) * 3 - 1, torch.linspace(0, 1, 101, dtype=torch.float64)
    every = torch.tensor([[a, b, 1 - a - b] for a, b in itertools.product(grid.tolist(), repeat=2) if a + b <= 1])
    for one, found in zip(values, onto_simplex(values), strict=True):
        assert (one - found).norm() <= (one - every.double()).norm(dim=1).min() + 1e-9
        assert abs(float(found.sum()) - 1) < 1e-12 and (found >= 0).all()


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: ZernikeField(Defocus(1.0)), TypeError, "that of a Zernike family, got Defocus"),  # type: ignore[arg-type]
        (lambda: ZernikeField(Zernike(indices=[4, 7], pixel_nm=100)), ValueError, r"it lacks \(n, m\) = \[\(3, 1\)\]"),
        (lambda: ZernikeField(LENS, terms=0), ValueError, "terms must be a whole number, 1 or more, got 0"),
        (lambda: OperatorHull(torch.ones(1, 3, 3, 5, 5)), ValueError, "two calibrations or more, got"),
        (lambda: OperatorHull(torch.ones(2, 3, 3, 5, 5)), ValueError, "of sum 1; divide it by its sum"),
        (lambda: EigenBlur.of_grid(torch.ones(1, 1, 3, 5, 5), (9, 9)), ValueError, "two rows and columns or more"),
        (lambda: eigen_kernels(torch.ones(3, 3)), ValueError, r"psf must be \(m, k, l\)"),
        (lambda: farthest_points(torch.zeros(2, 2), 3), ValueError, "of 2 points so many cannot be chosen: 3"),
        (lambda: farthest_points(torch.zeros(2, 3), 1), ValueError, r"distance must be \(m, m\)"),
        (lambda: spread_shares(torch.eye(2), 1, generator=torch.Generator()), ValueError, "two points or more"),
        (lambda: FIELD.scaled(params(1), 0.5), ValueError, "cannot be resized"),
    ],
)
def test_options_that_cannot_be(make, error: type[Exception], said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=said):
        make()
