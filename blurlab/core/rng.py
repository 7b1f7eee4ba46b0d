"""Random generators that are made from names, so a draw depends on what it is for and on nothing else."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def seed_from(*parts: int | str) -> int:
    """A 63-bit seed from any number of names and numbers, the same on every machine.

    Example:
        >>> seed_from(0, "test", "a.png") == seed_from(0, "test", "a.png")
        True
        >>> seed_from(0, "test", "a.png") == seed_from(1, "test", "a.png")
        False
    """
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(*parts: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch.Generator on ``device``, seeded by :func:`seed_from`."""
    return torch.Generator(device=device).manual_seed(seed_from(*parts))


def uniform(n: int, low: float, high: float, *, generator: torch.Generator) -> Tensor:
    """N draws from U[low, high) on the generator's device, shape (n,), float32."""
    return low + (high - low) * torch.rand(n, generator=generator, device=generator.device)
