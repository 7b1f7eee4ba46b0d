"""Kernels of an aberrated objective: their polynomials, what leaves them as they are, their optics and their stacks."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from blurlab.blur import Optics, Zernike, zernike_polynomial, zernike_psf, zernike_stack
from blurlab.blur.zernike_polynomial import ORDERS

GOLDEN = Path(__file__).parents[1] / "golden" / "zernike.csv"
LENS = Optics(na=1.41, wavelength_nm=540, pixel_nm=100, refractive_index=1.51)
FAMILY = Zernike(pixel_nm=100)


def drawn(n: int) -> Tensor:
    return FAMILY.draw(n, generator=torch.Generator().manual_seed(0))[1].double()


def test_polynomials_are_those_of_prysm() -> None:
    with GOLDEN.open() as file:
        header, *rows = list(csv.reader(file))
    points = torch.tensor([[float(part) for part in one.split("@")] for one in header[4:]], dtype=torch.float64)
    assert len(rows) == 56
    for order, index, n, m, *values in rows:
        assert ORDERS[order](int(index)) == (int(n), int(m))
        found = zernike_polynomial(int(n), int(m), points[:, 0], points[:, 1])
        expected = torch.tensor([float(value) for value in values], dtype=torch.float64)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_polynomials_are_orthonormal_over_the_disk() -> None:
    radius = (torch.arange(400, dtype=torch.float64) + 0.5) / 400
    angle = torch.arange(64, dtype=torch.float64) * 2 * torch.pi / 64
    rho, theta = (part.flatten() for part in torch.meshgrid(radius, angle, indexing="ij"))
    every = torch.stack([zernike_polynomial(*ORDERS["noll"](j), rho, theta) for j in range(1, 16)])
    gram = (every * rho / rho.sum()) @ every.T
    torch.testing.assert_close(gram, torch.eye(15, dtype=torch.float64), rtol=0, atol=1e-4)


def by_the_book(waves: Tensor, side: int) -> Tensor:
    """The published formula by NumPy's FFT: a grid over [-1/2, 1/2], |ifftshift FFT fftshift P|^2, of sum 1."""
    line = np.linspace(-0.5, 0.5, side)
    across, up = line[None, :], -line[:, None]
    rho, theta = np.hypot(across, up) / LENS.cutoff, np.arctan2(up, across)
    phase = np.zeros((side, side))
    for j, value in zip(range(4, 11), waves.tolist(), strict=True):
        at = zernike_polynomial(*ORDERS["noll"](j), torch.from_numpy(rho), torch.from_numpy(theta * np.ones_like(rho)))
        phase += value * at.numpy()
    field = np.where(rho <= 1, np.exp(-2j * np.pi * phase), 0)
    power = np.abs(np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(field)))) ** 2
    return torch.from_numpy(power / power.sum())


def test_kernels_are_those_of_the_published_formula() -> None:
    waves = drawn(5)
    for one, psf in zip(waves, FAMILY.psf(waves), strict=True):
        torch.testing.assert_close(psf[0], by_the_book(one, 31), rtol=0, atol=1e-12)


def test_more_samples_of_the_pupil_are_the_same_formula_cut_out_of_a_larger_plane() -> None:
    wide = Zernike(pixel_nm=100, samples=101)
    psf = wide.psf(drawn(1))[0, 0]
    expected = by_the_book(drawn(1)[0], 101)[35:66, 35:66]
    torch.testing.assert_close(psf, expected / expected.sum(), rtol=0, atol=1e-12)


def test_signs_of_even_orders_leave_the_kernel_and_all_signs_turn_it() -> None:
    waves = drawn(6)
    psf = FAMILY.psf(waves)
    even = waves.clone()
    even[:, :3] *= -1
    torch.testing.assert_close(FAMILY.psf(even), psf, rtol=0, atol=1e-14)
    torch.testing.assert_close(FAMILY.psf(-waves), psf.flip(-1, -2), rtol=0, atol=1e-14)
    torch.testing.assert_close(FAMILY.psf(FAMILY.reversed(waves)), psf.flip(-1, -2), rtol=0, atol=1e-14)
    assert float((psf - psf.flip(-1, -2)).abs().max()) > 1e-2


def test_a_negative_defocus_becomes_positive_and_the_kernel_stays() -> None:
    waves = drawn(4)
    waves[:, 0] = -waves[:, 0]
    kept = FAMILY.within(waves)
    assert bool((kept[:, 0] > 0).all()) and torch.equal(kept[:, 3:], waves[:, 3:])
    torch.testing.assert_close(FAMILY.psf(kept), FAMILY.psf(waves), rtol=0, atol=1e-14)


def test_the_first_of_even_order_has_the_sign_where_there_is_no_defocus() -> None:
    family = Zernike([0.1, 0.2], [8, 5], pixel_nm=100)
    assert family.bounds == ((-0.1, 0.1), (0.0, 0.2))


def test_both_ways_of_counting_make_the_same_kernels() -> None:
    other = Zernike(indices=[4, 3, 5, 7, 8, 6, 9], order="osa", pixel_nm=100)
    torch.testing.assert_close(other.psf(drawn(3)), FAMILY.psf(drawn(3)), rtol=0, atol=0)


def test_gradients_are_those_of_differences() -> None:
    waves = drawn(2).requires_grad_()
    assert torch.autograd.gradcheck(FAMILY.psf, (waves,), eps=1e-6, atol=1e-6)


def test_a_stack_is_defocus_and_its_plane_in_focus_the_kernel() -> None:
    waves = drawn(2)
    stack = zernike_stack(waves, FAMILY.modes, LENS, [-400, 0, 400], 31, samples=31)
    torch.testing.assert_close(stack.sum((1, 2, 3)), torch.ones(2, dtype=torch.float64))
    middle = stack[:, 1] / stack[:, 1].sum((1, 2), keepdim=True)
    torch.testing.assert_close(middle, FAMILY.psf(waves)[:, 0], rtol=0, atol=1e-12)
    round_lens = zernike_stack(waves * 0, FAMILY.modes, LENS, [-400, 0, 400], 31)[0]
    torch.testing.assert_close(round_lens[0], round_lens[2], rtol=0, atol=1e-12)  # a perfect lens is the same both ways
    assert float(round_lens[0].max()) < 0.5 * float(round_lens[1].max())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "the pixel size is missing; give pixel_nm"),
        ({"na": 1.6}, "na must be above 0 and at most the refractive index 1.51, got 1.6"),
        ({"wavelength_nm": 520e-9}, "wavelength_nm must be in nanometres, .* looks like metres"),
        ({"wavelength_nm": 0.52}, "wavelength_nm must be in nanometres, .* looks like micrometres"),
        ({"pixel_nm": 6.5e-8}, "pixel_nm must be in nanometres, .* looks like metres"),
        ({"pixel_nm": 200}, "needs pixels below 191.5 nm, got pixel_nm=200"),
        ({"pixel_nm": 20}, "too small on 31 samples; use 59"),
        ({"indices": [4, 4]}, "each once"),
        ({"indices": [0]}, "Noll must lie in 1 .. 66, got 0"),
        ({"waves": [0.1, 0.2]}, "one for each of 7 polynomials"),
        ({"waves": -0.1}, "magnitude >= 0"),
        ({"order": "fringe"}, "order must be one of noll, osa"),
        ({"samples": 15}, "as many samples as the kernel has pixels"),
        ({"size": 30}, "must be odd"),
    ],
)
def test_wrong_optics_give_one_clear_line(options: dict[str, object], message: str) -> None:
    given = {} if not options else {"pixel_nm": 100, **options}
    with pytest.raises(ValueError, match=message) as error:
        Zernike(**given)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_coefficients_must_be_finite_and_one_for_each_polynomial() -> None:
    with pytest.raises(ValueError, match="a column for each polynomial"):
        zernike_psf(torch.zeros(1, 2), FAMILY.modes, LENS, 31)
    with pytest.raises(ValueError, match="must be finite"):
        FAMILY.psf(torch.full((1, 7), torch.nan))
