"""Zernike polynomials, of unit root mean square on the unit disk, and two ways of numbering them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

HIGHEST = 66
"""Largest index: radial order 10. Nothing that a lens maker names lies beyond."""


def noll(index: int) -> tuple[int, int]:
    """Radial order n and azimuthal frequency m of the polynomial that [Noll1976] gives this number, from 1.

    Negative m is a sine. The even numbers are the cosines.

    Raises:
        TypeError: If the index is no whole number.
        ValueError: If it is not in 1 .. 66.

    Example:
        >>> [noll(j) for j in (1, 4, 5, 8, 10)]
        [(0, 0), (2, 0), (2, -2), (3, 1), (3, 3)]
    """
    _check(index, 1, "Noll")
    n = (math.isqrt(8 * index - 7) - 1) // 2
    place = index - n * (n + 1) // 2 - 1
    m = 2 * ((place + 1) // 2) if n % 2 == 0 else 2 * (place // 2) + 1
    return n, m if index % 2 == 0 else -m


def osa(index: int) -> tuple[int, int]:
    """Radial order n and azimuthal frequency m of the polynomial with this number of OSA and ANSI, from 0.

    ``index = (n (n + 2) + m) / 2``.

    Raises:
        TypeError: If the index is no whole number.
        ValueError: If it is not in 0 .. 65.

    Example:
        >>> [osa(j) for j in (0, 3, 4, 8, 9)]
        [(0, 0), (2, -2), (2, 0), (3, 1), (3, 3)]
    """
    _check(index, 0, "OSA")
    n = (math.isqrt(8 * index + 1) - 1) // 2
    return n, 2 * index - n * (n + 2)


ORDERS = {"noll": noll, "osa": osa}
"""How the numbers of polynomials are read."""


def zernike_polynomial(n: int, m: int, rho: Tensor, theta: Tensor) -> Tensor:
    """The polynomial of radial order n and azimuthal frequency m, of unit root mean square on the unit disk.

    ``sqrt(n + 1) R_n^0``, ``sqrt(2 (n + 1)) R_n^m cos(m theta)`` or, for m < 0, ``... sin(|m| theta)``, with
    ``R_n^m = sum_s (-1)^s (n - s)! / (s! ((n + m) / 2 - s)! ((n - m) / 2 - s)!) rho^(n - 2 s)`` [Noll1976].

    Args:
        n: Radial order, >= 0.
        m: Azimuthal frequency, ``|m| <= n``, of the parity of n.
        rho: Distance from the centre, any shape.
        theta: Angle in radians, of the same shape.

    Returns:
        Values, shaped as ``rho``; beyond the disk the polynomial goes on.

    Raises:
        ValueError: If there is no such polynomial.

    Example:
        >>> zernike_polynomial(2, 0, torch.tensor([0.0, 1.0]), torch.zeros(2))
        tensor([-1.7321,  1.7321])
    """
    k = abs(m)
    if n < 0 or k > n or (n - k) % 2:
        raise ValueError(f"there is no Zernike polynomial of order {n} and frequency {m}; |m| <= n, both odd or even")
    f = math.factorial
    radial = torch.zeros_like(rho)
    for s in range((n - k) // 2 + 1):
        weight = (-1) ** s * f(n - s) / (f(s) * f((n + k) // 2 - s) * f((n - k) // 2 - s))
        radial = radial + weight * rho ** (n - 2 * s)
    if m == 0:
        return math.sqrt(n + 1) * radial
    return math.sqrt(2 * (n + 1)) * radial * (torch.cos(m * theta) if m > 0 else torch.sin(k * theta))


def _check(index: int, first: int, name: str) -> None:
    if isinstance(index, bool) or not isinstance(index, int):
        raise TypeError(f"an index of {name} must be a whole number, got {index!r}")
    if not first <= index < first + HIGHEST:
        raise ValueError(f"an index of {name} must lie in {first} .. {first + HIGHEST - 1}, got {index}")
