from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.util import img_as_ubyte

from blurlab.noise import Chain, Gaussian, Quantise, Sensor, quantise, quantise_sigma

X = torch.rand(2, 1, 17, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_agrees_with_scikit_image_and_is_idempotent():
    bytes_ = (quantise(X) * 255).numpy()
    np.testing.assert_allclose(bytes_, img_as_ubyte(X.numpy()), atol=1e-9)
    assert torch.equal(quantise(quantise(X)), quantise(X))
    assert quantise(X, 3).unique().numel() == 8


def test_clip():
    x = torch.tensor([-0.3, 1.3]).reshape(1, 1, 1, 2)
    assert quantise(x).flatten().tolist() == [0, 1]
    torch.testing.assert_close(quantise(x, clip=False), x, rtol=0, atol=0.5 / 255 + 1e-6)


def test_sensor_is_gaussian_then_eight_bits_and_stays_in_range():
    y, sigma = Sensor(sigma=0.1)(X, generator=seeded())
    noisy, _ = Gaussian(sigma=0.1)(X, generator=seeded())
    assert torch.equal(y, quantise(noisy, 8, clip=True))
    assert y.min() >= 0 and y.max() <= 1
    torch.testing.assert_close(sigma, sigma.new_full((2,), math.sqrt(0.01 + 1 / (12 * 255**2))))
    chained, level = Chain([Gaussian(sigma=0.1), Quantise()])(X, generator=seeded())
    assert torch.equal(chained, y) and torch.equal(level, sigma)


def test_sigma_of_rounding():
    assert quantise_sigma(1) == pytest.approx(1 / math.sqrt(12))


@pytest.mark.parametrize("bits", [0, 17, 8.0])
def test_bits_out_of_range(bits):
    with pytest.raises(ValueError, match="1 to 16"):
        Sensor(sigma=0.1, bits=bits)


def test_chain_takes_models_only():
    with pytest.raises(ValueError, match="at least one"):
        Chain([])
    with pytest.raises(TypeError, match="got float"):
        Chain([0.1])  # type: ignore[list-item]
