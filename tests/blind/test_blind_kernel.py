"""The whole method on a made-up photograph, and its judge."""

from __future__ import annotations

import pytest
import torch
from scipy.signal import convolve2d
from shaken import observation, scene, shake
from torch.nn.functional import avg_pool2d

from blurlab.blind import best_kernel, blind_kernel, normalised_sparsity, refined
from blurlab.blind.blind_kernel import RUNS, from_starts
from blurlab.blind.coarse_to_fine import kernel_sizes
from blurlab.blind.judge import misfit
from blurlab.blur import pad_to_odd
from blurlab.deconvolver import TV
from blurlab.metric import align, kernel_correlation, psnr

X, PSF = scene(104), shake()
Y = observation(X, PSF, 0.003)


@pytest.mark.slow
def test_a_shake_is_found_and_undone() -> None:
    found = blind_kernel(Y[0, 0], 11)
    assert found.shape == (11, 11) and bool((found >= 0).all()) and abs(float(found.sum()) - 1) < 1e-5
    assert float(kernel_correlation(found[None, None], PSF)) > 0.85
    x = X[..., 4:-4, 4:-4]
    restored, known = (TV()(Y, psf).image for psf in (found[None, None], PSF))
    gained, possible, before = (align(one, x) for one in (restored, known, Y))
    assert float(psnr(gained.x_hat, gained.x) - psnr(before.x_hat, before.x)) > 4
    assert float(psnr(possible.x_hat, possible.x) - psnr(gained.x_hat, gained.x)) < 5


def test_refinement_brings_a_wide_kernel_nearer() -> None:
    wide = torch.nn.functional.conv2d(pad_to_odd(PSF, 11), torch.full((1, 1, 3, 3), 1 / 9), padding=1)[0, 0]
    before, after = (float(kernel_correlation(one[None, None], PSF)) for one in (wide, refined(Y[0, 0], wide)))
    assert before < 0.9 and after > before + 0.05
    assert torch.equal(refined(Y[0, 0], wide, iterations=0), wide)


@pytest.mark.parametrize(("sigma", "count"), [(0.001, 2), (0.01, 3)])
def test_a_start_is_refined_twice_and_in_noise_judged_as_it_is(sigma: float, count: int) -> None:
    smooth = avg_pool2d(X, 5, stride=1)  # of fine texture noise is measured
    y, start = observation(smooth, PSF, sigma)[0, 0], pad_to_odd(PSF, 11)[0, 0]
    found = from_starts(y, 11, [start], RUNS[0], refinements=1)
    assert len(found) == count
    assert torch.equal(found[0], refined(y, start, iterations=1)) and not torch.equal(found[1], found[0])
    assert all(torch.equal(one, start) for one in found[2:])
    assert from_starts(y, 11, [], RUNS[0]) == []


def test_the_judge_takes_the_true_kernel_and_not_that_of_no_blur() -> None:
    true = pad_to_odd(PSF, 11)[0, 0]
    none = torch.zeros(11, 11)
    none[5, 5] = 1
    line = torch.zeros(11, 11)
    line[5] = 1 / 11
    for candidates in ([none, true, line], [true, none], [line, true, true.flip(0)]):
        assert torch.equal(best_kernel(Y[0, 0], candidates), true)


def test_a_kernel_that_does_not_explain_the_image_is_not_taken_and_a_handicap_counts() -> None:
    true, wrong = pad_to_odd(PSF, 11)[0, 0], torch.full((11, 11), 1 / 121)
    images = TV()(Y.expand(2, -1, -1, -1), torch.stack([true, wrong])[:, None]).image
    left = misfit(images, torch.stack([true, wrong])[:, None], Y.expand(2, -1, -1, -1))
    assert float(left[1]) > 2 * float(left[0])
    assert torch.equal(best_kernel(Y[0, 0], [wrong, true], [0.01, 1.0]), true)
    twin = true.roll(1, 0)
    assert torch.equal(best_kernel(Y[0, 0], [true, twin], [2.0, 1.0]), twin)
    with pytest.raises(ValueError, match="got 1 for 2 candidates"):
        best_kernel(Y[0, 0], [true, twin], [1.0])


def test_misfit_is_that_of_the_pixels_blurred_from_inside() -> None:
    x, y = X[..., 4:-4, 4:-4], Y
    blurred = convolve2d(x[0, 0].numpy(), PSF[0, 0].numpy(), "valid")
    expected = ((blurred - y[0, 0, 4:-4, 4:-4].numpy()) ** 2).mean() ** 0.5
    assert float(misfit(x, PSF, y)) == pytest.approx(float(expected), rel=1e-4)


def test_sparsity_is_of_the_image_within_the_border() -> None:
    x = torch.rand(2, 1, 20, 20, generator=torch.Generator().manual_seed(0))
    x[..., :3, :] = 9
    inner = normalised_sparsity(x[..., 4:-4, 4:-4])
    torch.testing.assert_close(normalised_sparsity(x, 4), inner)
    torch.testing.assert_close(normalised_sparsity(5 * x + 1, 4), inner)


def test_sizes_shrink_by_half_the_area_and_stay_odd() -> None:
    assert kernel_sizes(27) == [27, 21, 15, 11, 7]
    assert kernel_sizes(3) == [3]
    for size in range(5, 65, 2):
        sizes = kernel_sizes(size)
        assert sizes[0] == size and all(one % 2 == 1 for one in sizes) and sizes[-1] in (5, 7)


def test_an_image_too_small_for_the_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a kernel of 21 px needs an image of at least 42 px a side, got \(40, 60\)"):
        blind_kernel(torch.rand(40, 60), 21)
