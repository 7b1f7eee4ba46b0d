"""What the stage that measures kernels writes of an item and of all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from blurlab.blur import Zernike
from blurlab.likelihood.limit import power_law, psf_snr_bound
from blurlab.physics import Convolution, Degraded
from blurlab.pipeline import Aberrations
from blurlab.pipeline.estimate import KindEstimate, by_kernel, by_parameters
from blurlab.run.stage.measure_kernels import measured, summary

FAMILY = Zernike(pixel_nm=100)


def truth(n: int = 2, side: int = 64) -> Degraded:
    draw = torch.Generator().manual_seed(0)
    blur = FAMILY.sample(n, generator=draw)
    x = torch.rand(n, 1, side, side, generator=draw)
    zero = torch.zeros(n)
    return Degraded(
        x, x, Convolution(blur.psf, "valid"), blur.kind, blur.params, zero, zero + 0.05, torch.arange(n), zero + 1
    )


def label(params: torch.Tensor, half: float) -> KindEstimate:
    n = len(params)
    kind, zero = torch.zeros(n, dtype=torch.long), torch.zeros(n)
    blur = by_parameters(FAMILY, params, kind)
    ends = torch.full((n, 2), torch.nan)
    return KindEstimate(kind, zero[:, None] + 1, zero, zero, zero, ends, params, blur, torch.full_like(params, half))


def test_a_reversed_kernel_is_counted_as_the_wrong_way_round() -> None:
    item = truth()
    psf = item.psf.clone()
    psf[1] = psf[1].flip(-2, -1)
    estimate = by_kernel(0.99 * psf, torch.ones(2, dtype=torch.bool), label=label(item.params + 0.01, 0.02))
    lines = measured(FAMILY, item, estimate, item.psf.mean(0, keepdim=True), 0.5)
    for place, one in enumerate(lines):
        one["photo"] = str(place)
    assert lines[0]["psf_snr"] == pytest.approx(40, abs=0.01)
    assert lines[1]["psf_snr"] < 10 and lines[1]["psf_snr_either_way"] == pytest.approx(40, abs=0.01)
    found = summary(lines, 0)
    assert found["metrics"]["orientation_right"]["value"] == 0.5
    assert found["metrics"]["coverage90"]["value"] == 1 and found["metrics"]["coverage90"]["n"] == 14
    assert found["metrics"]["psf_snr_constant"]["value"] < 10 and found["metrics"]["identify_cpu_s"]["value"] == 0.5
    assert found["limit"]["psf_snr"]["value"] == pytest.approx(sum(one["psf_snr_bound"] for one in lines) / 2)
    lines[0]["half_noll7_waves"] = 0.001
    assert summary(lines, 0)["metrics"]["coverage90"]["value"] == pytest.approx(13 / 14)


def test_the_networks_own_kernel_has_a_figure_of_its_own() -> None:
    item = truth()
    named = replace(label(item.params, 0.02), network_psf=0.9 * item.psf)
    estimate = by_kernel(0.99 * item.psf, torch.ones(2, dtype=torch.bool), label=named)
    lines = measured(FAMILY, item, estimate, item.psf.mean(0, keepdim=True), 0.5)
    for place, one in enumerate(lines):
        one["photo"] = str(place)
    metrics = summary(lines, 0)["metrics"]
    assert metrics["psf_snr/network"]["value"] == pytest.approx(20, abs=0.01)
    assert metrics["psf_snr"]["value"] == pytest.approx(40, abs=0.01)


def test_the_bound_rises_with_the_size_of_the_image_and_falls_with_noise() -> None:
    params = FAMILY.draw(3, generator=torch.Generator().manual_seed(1))[1].double()

    def bound(side: int, sigma: float) -> torch.Tensor:
        spectrum = 1e-3 * power_law(side).expand(3, -1, -1)
        return psf_snr_bound(FAMILY, params, spectrum, torch.full((3,), sigma**2, dtype=torch.float64))

    assert bool((bound(64, 0.01) > bound(64, 0.1) + 3).all())
    more = bound(128, 0.003) - bound(64, 0.003)
    assert more.tolist() == pytest.approx([6.0] * 3, abs=1.5)  # four times the frequencies, a quarter of the variance


def test_the_pipeline_takes_an_objectives_kernels_alone() -> None:
    from blurlab.blur import Defocus

    assert Aberrations(FAMILY).tasks == ()
    with pytest.raises(ValueError, match="use blur=zernike"):
        Aberrations(Defocus())
