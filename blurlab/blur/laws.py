"""The laws of a blur family, to be checked on a family of one's own too."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from blurlab.blur.base import Blur, BlurFamily
from blurlab.blur.mixture import Mixture
from blurlab.blur.shape import centroid
from blurlab.blur.strength import StrengthFamily

ITEMS = 64
SAME = 1e-6
"""Kernels and parameters that differ by less are the same but for rounding."""

STILL = 1e-3
"""Share of a kernel that may lie beyond its centre where nothing is said to change: a Gaussian's tails."""


def check_family(family: BlurFamily, *, generator: torch.Generator) -> None:
    """Check that a family keeps its promises on 64 drawn kernels.

    Kernels are odd, finite, non-negative, of sum 1 and centred if the family is symmetric, at the ends of the ranges
    too; labels lie within the bounds and are what :meth:`BlurFamily.within` makes of them; a period more is the same
    kernel; the same state of the generator gives the same blurs; a batch equals its items; gradients are finite;
    strengths, where a kind has one, survive the way to parameters and back; what changes nothing is one pixel.

    Raises:
        AssertionError: With the law that is broken and by how much.

    Example:
        >>> from blurlab.blur import Motion
        >>> check_family(Motion([1, 10], [0, 180]), generator=torch.Generator().manual_seed(0))
    """
    state = generator.get_state()
    blur = family.sample(ITEMS, generator=generator)
    generator.set_state(state)
    again = family.sample(ITEMS, generator=generator)
    _law(
        torch.equal(blur.psf, again.psf) and torch.equal(blur.kind, again.kind),
        "the same seed gave other blurs",
    )
    _check_kernels(family, blur.psf)
    _check_labels(family, blur)
    _check_ends(family)
    _check_ranges(family, blur)
    single = torch.cat([family.psf(blur.params[i : i + 1], blur.kind[i : i + 1]) for i in range(4)])
    _law(torch.allclose(single, blur.psf[:4], rtol=0, atol=1e-6), "a batch differs from its items one by one")
    _check_gradients(family, blur)
    _check_changes(family, blur)
    if isinstance(family, StrengthFamily):
        _check_strength(family, blur)


def _law(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _check_kernels(family: BlurFamily, psf: Tensor) -> None:
    shape = (len(psf), 1, family.size, family.size)
    _law(family.size % 2 == 1, f"the size is even: {family.size}")
    _law(tuple(psf.shape) == shape, f"kernels are {tuple(psf.shape)}, not {shape}")
    _law(bool(torch.isfinite(psf).all()), "a kernel has NaN or infinite values")
    _law(bool((psf >= 0).all()), f"a kernel has a negative value: {float(psf.min()):g}")
    off = float((psf.sum((1, 2, 3)) - 1).abs().max())
    _law(off < 1e-5, f"a kernel's sum is off 1 by {off:g}")
    if family.symmetric:
        off = float(centroid(psf).abs().max())
        _law(off < 1e-4, f"a kernel's centre of mass is {off:g} px off its centre")


def _check_labels(family: BlurFamily, blur: Blur) -> None:
    kind, params = blur.kind, blur.params
    _law(
        params.shape == (ITEMS, len(family.names)),
        f"params are {tuple(params.shape)}, names are {family.names}",
    )
    _law(len({*family.names}) == len(family.names), f"two parameters have one name: {family.names}")
    _law(kind.dtype == torch.long and kind.shape == (ITEMS,), f"kind is {kind.dtype} {tuple(kind.shape)}")
    _law(int(kind.min()) >= 0 and int(kind.max()) < len(family.kinds), f"a kind is not one of {family.kinds}")
    for column, name, (low, high) in zip(params.T, family.names, family.bounds, strict=True):
        given = column[~column.isnan()]
        slack = 1e-6 * max(abs(low), abs(high))
        inside = bool(((given >= low - slack) & (given <= high + slack)).all())
        _law(inside, f"{name} leaves its bounds [{low:g}, {high:g}]")
    _law(bool(family.holds(params).all()), "parameters that were drawn are said to lie outside the ranges")


def _check_ends(family: BlurFamily) -> None:
    """At every corner of the ranges the kernel fits: its size follows from the largest magnitudes."""
    members = [family.member(kind) for kind in family.kinds] if isinstance(family, Mixture) else [family]
    for member in members:
        corners = torch.tensor(list(product(*member.bounds)))
        try:
            psf = member.psf(corners)
        except ValueError as error:
            raise AssertionError(f"a kernel at the ends of the ranges cannot be made: {error}") from error
        _check_kernels(member, psf)


def _check_ranges(family: BlurFamily, blur: Blur) -> None:
    params = blur.params.double()
    psf = family.psf(params, blur.kind)
    for column, one in enumerate(family.parameters):
        if one.period is not None:
            more = params.clone()
            more[:, column] += one.period
            off = float((family.psf(more, blur.kind) - psf).abs().max())
            _law(off < SAME, f"a period of {one.name} more changes the kernel by {off:g}")
            off = float((family.psf(family.within(more), blur.kind) - psf).abs().max())
            _law(not one.goes_round or off < SAME, f"within() changes the kernel of another {one.name} by {off:g}")
    kept = family.within(params)
    _law(torch.allclose(kept, params, rtol=0, atol=SAME, equal_nan=True), "within() changes what the family draws")
    known = family.measurable(params)
    told = known.dtype == torch.bool and known.shape == params.shape and not bool((known & params.isnan()).any())
    _law(told, "measurable() is no mask (n, P), or names a parameter that a kind lacks")


def _check_gradients(family: BlurFamily, blur: Blur) -> None:
    params = blur.params.double().requires_grad_()
    psf = family.psf(params, blur.kind)
    _law(psf.dtype == torch.float64, f"float64 parameters gave a {psf.dtype} kernel")
    if not psf.requires_grad:
        return
    weight = torch.linspace(-1, 1, psf[0].numel(), dtype=psf.dtype, device=psf.device).view(psf.shape[1:])
    (gradient,) = torch.autograd.grad((psf * (weight + weight**2)).sum(), params)
    _law(bool(torch.isfinite(gradient).all()), "a gradient in the parameters is NaN or infinite")


def _check_strength(family: StrengthFamily, blur: Blur) -> None:
    strength = family.strength_px(blur.params, blur.kind)
    has_one = torch.tensor(
        [not isinstance(family, Mixture) or isinstance(family.member(int(k)), StrengthFamily) for k in blur.kind]
    ).to(strength.device)
    _law(torch.equal(strength.isnan(), ~has_one), "a strength is NaN, or a kind without one has one")
    params, kind, strength = blur.params[has_one], blur.kind[has_one], strength[has_one]
    _law(bool((torch.isfinite(strength) & (strength >= 0)).all()), "a strength is negative or not finite")
    made = {
        "at_strength": family.at_strength(strength, kind),
        "with_strength": family.with_strength(params, strength, kind),
    }
    for name, other in made.items():
        back = family.strength_px(other, kind)
        _law(torch.allclose(back, strength, rtol=1e-5, atol=1e-6), f"{name} and strength_px do not invert each other")


def _check_changes(family: BlurFamily, blur: Blur) -> None:
    still = blur.psf[~family.changes(blur.params, blur.kind)]
    _law(bool((still.flatten(1).amax(1) > 1 - STILL).all()), "a blur wider than a pixel is said to change nothing")
