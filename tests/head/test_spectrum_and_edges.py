"""The head on spectra and edge averages: symmetries of what it looks at, shapes, weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.blur import Zernike
from blurlab.head import SpectrumAndEdges
from blurlab.head.edge_average import AVERAGES, REACH_PX, _middle, contrast_spectra, edge_averages, noise_power
from blurlab.head.spectrum_and_edges import inverted, measure, turned
from blurlab.physics import Convolution

FAMILY = Zernike(pixel_nm=100)
COMA = torch.tensor([[0.02, 0.0, 0.0, 0.14, -0.1, 0.05, 0.1]])


def scene(seed: int, rows: int = 158, cols: int = 190) -> Tensor:
    """Rectangles one upon another (1, 1, rows, cols)."""
    draw = torch.Generator().manual_seed(seed)
    image = torch.full((rows, cols), 0.5)
    for _ in range(200):
        top, left, high, wide, level = torch.rand(5, generator=draw).tolist()
        image[int(top * rows) :, int(left * cols) :][: 4 + int(30 * high), : 4 + int(30 * wide)] = level
    return image[None, None]


def seen(seed: int, psf: Tensor, sigma: float = 0.01) -> Tensor:
    y = Convolution(psf.float(), "valid").forward(scene(seed))
    return y + sigma * torch.randn(y.shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("change", "of_image"), [(turned, lambda y: y.flip(-2, -1)), (inverted, lambda y: 1 - y)])
def test_what_is_measured_follows_the_image(change, of_image) -> None:  # type: ignore[no-untyped-def]
    y = seen(0, FAMILY.psf(COMA))
    for name, expected, found in zip(
        ("spectra", "averages", "numbers"), change(measure(y)), measure(of_image(y)), strict=True
    ):
        off = (expected - found).square().mean().sqrt() / expected.square().mean().sqrt()
        assert float(off) < 0.08, name  # a periodic window is not quite its own mirror image


def test_the_average_about_bright_points_is_the_kernel_as_it_lies() -> None:
    draw = torch.Generator().manual_seed(1)
    stars = (torch.rand(1, 1, 158, 190, generator=draw) < 0.002).float()
    psf = FAMILY.psf(COMA).float()
    y = Convolution(psf, "valid").forward(stars) + 2e-4 * torch.randn(1, 1, 128, 160, generator=draw)
    bright = edge_averages(y)[0, -2]
    middle = psf.shape[-1] // 2
    near = psf[0, 0, middle - REACH_PX : middle + REACH_PX + 1, middle - REACH_PX : middle + REACH_PX + 1]
    odd, wanted = (one - one.flip(-2, -1) for one in (bright, near))
    assert float((odd * wanted).sum() / (odd.norm() * wanted.norm())) > 0.4


def test_a_reversed_kernel_turns_the_odd_part_of_the_averages() -> None:
    def odd(psf: Tensor) -> Tensor:
        maps = torch.stack([edge_averages(seen(seed, psf))[0, : AVERAGES - 2] for seed in range(4)]).mean(0)
        return maps + maps.flip(-2, -1)  # the sign of a derivative turns too

    one, other = odd(FAMILY.psf(COMA)), odd(FAMILY.psf(FAMILY.reversed(COMA)))
    even = odd(FAMILY.psf(COMA * torch.tensor([1.0, 1, 1, 0, 0, 0, 0])))
    apart = one - other
    assert float(apart.norm()) > 1.5 * float((one + other - 2 * even).norm())


def test_white_noise_has_a_flat_spectrum_in_units_of_itself() -> None:
    noise = 0.05 * torch.randn(2, 3, 128, 160, generator=torch.Generator().manual_seed(0))
    mean = contrast_spectra(noise)[:, 0, 8:24, 4:]
    assert float(mean.mean().abs()) < 0.1


def test_the_bins_of_the_noise_and_of_the_middle_are_those_of_their_frequencies() -> None:
    power = torch.rand(2, 5, 64, 33, generator=torch.Generator().manual_seed(0))
    down, across = torch.arange(64)[:, None] / 64 - 0.5, torch.arange(33) / 64
    high = (down.abs() > 0.4) & (across > 0.4)
    assert torch.equal(noise_power(power.mean(1)), power.mean(1)[:, high].median(1).values)
    middle = (torch.hypot(down, across.expand(64, -1)) - 0.12).abs() < 0.08
    assert _middle(64) == middle.flatten().nonzero()[:, 0].tolist()


def test_outputs_of_odd_sizes_and_colours_do_not_depend_on_the_batch() -> None:
    torch.manual_seed(0)
    net = SpectrumAndEdges(9, 3, width=4, hidden=8).eval()
    y = torch.rand(3, 3, 71, 96, generator=torch.Generator().manual_seed(0))
    found = net(y)
    assert found.shape == (3, 9) and bool(found.isfinite().all())
    torch.testing.assert_close(torch.cat([net(one[None]) for one in y]), found, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="at least window=64"):
        net(y[..., :60])
    with pytest.raises(ValueError, match="width and hidden"):
        SpectrumAndEdges(9, width=0)


def test_every_weight_gets_a_finite_gradient() -> None:
    torch.manual_seed(0)
    net = SpectrumAndEdges(9, width=4, hidden=8)
    net(torch.rand(4, 1, 64, 80)).square().sum().backward()
    for label, weight in net.named_parameters():
        assert weight.grad is not None and bool(weight.grad.isfinite().all()) and bool(weight.grad.any()), label


@pytest.mark.slow
def test_it_can_learn_which_way_round_a_kernel_lies() -> None:
    torch.manual_seed(0)
    params = torch.cat([COMA, FAMILY.reversed(COMA)]).repeat(3, 1)
    y = torch.cat([seen(row // 2, FAMILY.psf(one[None])) for row, one in enumerate(params)])
    net, looked = SpectrumAndEdges(7, width=8, hidden=32), measure(y)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(60):
        loss = (net.of(looked) - 10 * params).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = net.of(looked)[:, 3].sign()
    assert bool((found == params[:, 3].sign()).all()), loss
