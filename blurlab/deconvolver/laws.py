"""Laws that every deconvolver obeys, one's own included."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from blurlab.core.law import Law, require, tried
from blurlab.deconvolver.base import SIGMA_FLOOR, Deconvolver
from blurlab.physics import Convolution

TINY_SIGMA = 1e-4
TURNED = 0.75
"""What turning by 180 degrees may change, in units of a result's own error: .64 is the hyper-Laplacian's."""
SHARES = {1 / 256: 0.5, 1 / 16: 0.5, 1 / 3: 2.0}
"""Of the intensities that an image may have, in a file of many bits, say; with the decibels by which the error may
change. A level is a power of two, so a third is restored at two thirds of the range; what was fitted to contrasts of
photographs meets others there: a network changes by 1.95 dB, EPLL by 1.1, a least step by .9."""
WORSE_DB = 0.1
"""By how much a result may be worse than y where kernel and noise are exact."""


def check_deconvolver(deconvolver: Deconvolver, *, generator: torch.Generator) -> None:
    """Raise unless the deconvolver keeps its contract on small made-up images, on the generator's device.

    An identity kernel and hardly any noise give y back; a batch is what its images are one by one; arguments are
    left as they were; the result is finite, of y's shape, nearer to the sharp image than y on average; transposing
    image and kernel transposes the result; turning both by 180 degrees turns it, save for three quarters of its own
    error (the differences of a discrete total variation look one way); float32 gives what float64 gives; an image and
    its noise at a share c of their intensities are restored to the same share of the result, nearly (``SHARES``).

    Args:
        deconvolver: Any.
        generator: Draws images and noise.

    Raises:
        AssertionError: With the law that does not hold and by how much.
    """
    require(deconvolver_laws(deconvolver, generator=generator))


def deconvolver_laws(deconvolver: Deconvolver, *, generator: torch.Generator) -> Iterator[Law]:
    """The laws of :func:`check_deconvolver`, each as it is tried."""
    sharp = made_up(4, (45, 52), generator=generator)
    psf = kernels(len(sharp)).to(sharp)
    sigma = torch.tensor([0.002, 0.004, 0.008, 0.004], device=sharp.device)
    flat = torch.nn.functional.conv2d(sharp.transpose(0, 1), psf.flip(-2, -1), groups=len(sharp)).transpose(0, 1)
    noise = torch.randn(flat.shape, generator=generator, device=sharp.device)
    x, y = sharp[..., 2:-2, 2:-2], flat + sigma[:, None, None, None] * noise

    copies = y.clone(), psf.clone(), sigma.clone()
    restored = deconvolver(y, psf, sigma).image
    yield tried("arguments are left as they were", all(map(torch.equal, copies, (y, psf, sigma))), "changed")
    yield tried("the result has y's shape", restored.shape == y.shape, f"{tuple(restored.shape)} for {tuple(y.shape)}")
    yield tried("the result is finite", bool(torch.isfinite(restored).all()), "NaN or infinite")

    before, after = _energy(y - x), _energy(restored - x)
    gain = float(10 * torch.log10(before / after).mean())
    yield tried("the result is nearer to the sharp image than y by 0.5 dB", gain > 0.5, f"{gain:.2f} dB")

    x, y, psf, sigma, restored, after = (
        one[2:] for one in (x, y, psf, sigma, restored, after)
    )  # the block, the lopsided
    single = torch.cat([deconvolver(y[i : i + 1], psf[i : i + 1], sigma[i : i + 1]).image for i in range(len(y))])
    yield _near("a batch is what its images are one by one", single, restored, 1e-4)
    turned = deconvolver(y.mT.contiguous(), psf.mT.contiguous(), sigma).image
    yield _near("transposing image and kernel transposes the result", turned.mT, restored, 1e-4)

    turned = deconvolver(y.flip(-2, -1), psf.flip(-2, -1), sigma).image.flip(-2, -1)
    ratio = float((_energy(turned - restored) / after).sqrt().max())
    yield tried(
        "turning image and kernel by 180 degrees turns the result",
        ratio < TURNED,
        f"differs by {ratio:.2f} of its error",
    )
    exact = deconvolver(y.double(), psf.double(), sigma.double()).image
    yield tried("float64 is computed in float64", exact.dtype == torch.float64, f"the result is {exact.dtype}")
    yield _near("float32 gives what float64 gives", exact.float(), restored, 1e-3)

    dim = y / 2  # within [0, 1] nothing of it is clipped, at whatever share
    own = _energy(deconvolver(dim, psf, sigma / 2).image - x / 2)
    for share, most_db in SHARES.items():
        error = _energy(deconvolver(share * dim, psf, share * sigma / 2).image / share - x / 2)
        off = float((10 * torch.log10(error / own)).abs().max())
        yield tried(
            f"images at a share of their intensities are restored alike (1/{1 / share:.0f}, within {most_db:g} dB)",
            off < most_db,
            f"{off:.2f} dB off",
        )

    delta = torch.zeros_like(psf)
    delta[..., psf.shape[-2] // 2, psf.shape[-1] // 2] = 1
    yield _near("an identity kernel without noise gives y back", deconvolver(x, delta, TINY_SIGMA).image, x, 2e-2)


def check_never_worse(
    deconvolver: Deconvolver,
    sharp: Tensor,
    psf: Tensor,
    sigma: Tensor,
    *,
    generator: torch.Generator,
    unseen: float = SIGMA_FLOOR,
) -> None:
    """Raise unless the result is never farther from the sharp image than y where kernel and noise are exact.

    ``|u - x|^2 <= 10^(WORSE_DB / 10) |y - x|^2 + n unseen^2``: by ``unseen`` an image that has no error may be off,
    what rounding to 8 bits would add.

    Args:
        deconvolver: Any that assumes nothing of what lies beyond the border.
        sharp: Sharp images on [0, 1] (B, C, H + k - 1, W + l - 1).
        psf: Kernels (B, 1, k, l).
        sigma: Noise standard deviation (B,).
        generator: Draws the noise.
        unseen: Root mean square error that counts as none.

    Raises:
        AssertionError: With the first image that is worse and by how much.
    """
    top, left = psf.shape[-2] // 2, psf.shape[-1] // 2
    blurred = Convolution(psf, "valid", "direct").A(sharp)
    x = sharp[..., top : top + blurred.shape[-2], left : left + blurred.shape[-1]]
    y = blurred + sigma[:, None, None, None] * torch.randn(blurred.shape, generator=generator, device=blurred.device)
    before, after = ((one - x).square().flatten(1).mean(1) for one in (y, deconvolver(y, psf, sigma).image))
    allowed = 10 ** (WORSE_DB / 10) * before + unseen**2
    for i, (error, most) in enumerate(zip(after.tolist(), allowed.tolist(), strict=True)):
        came = f"error {error**0.5:.5f} for {float(before[i]) ** 0.5:.5f} on image {i}, sigma {float(sigma[i]):g}"
        require([tried("the result is never worse than y where kernel and noise are exact", error <= most, came)])


def made_up(n: int, shape: tuple[int, int], *, generator: torch.Generator) -> Tensor:
    """Piecewise constant images with values in [0.1, 0.9], (n, 1, H, W): twelve random rectangles each."""
    device = generator.device
    rows = torch.arange(shape[0], device=device)[:, None]
    cols = torch.arange(shape[1], device=device)
    images = torch.full((n, 1, *shape), 0.4, device=device)
    for image in images:
        for top, left, height, width, value in torch.rand(12, 5, generator=generator, device=device).tolist():
            inside = (rows >= top * shape[0]) & (rows < (top + 0.2 + height / 3) * shape[0])
            inside = inside & (cols >= left * shape[1]) & (cols < (left + 0.2 + width / 3) * shape[1])
            image[0][inside] = 0.1 + 0.8 * value
    return images


def kernels(n: int) -> Tensor:
    """Kernels (n, 1, 5, 5) in turn: a row of three, a row of five, a block of nine, and a lopsided row of four."""
    psf = torch.zeros(4, 1, 5, 5)
    psf[0, 0, 2, 1:4] = 1 / 3
    psf[1, 0, 2, :] = 1 / 5
    psf[2, 0, 1:4, 1:4] = 1 / 9
    psf[3, 0, 2, 1:] = 1 / 4
    return psf[torch.arange(n) % 4]


def _energy(difference: Tensor) -> Tensor:
    return difference.square().flatten(1).sum(1)


def _near(law: str, came: Tensor, expected: Tensor, tolerance: float) -> Law:
    furthest = float((came - expected).abs().max())
    return tried(law, furthest <= tolerance, f"off by {furthest:.3g}, allowed {tolerance:.3g}")
