"""The laws of a blur family, to be checked on a family of one's own too."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor

from blurlab.blur.base import Blur, BlurFamily
from blurlab.blur.mixture import Mixture
from blurlab.blur.shape import centroid
from blurlab.blur.strength import StrengthFamily
from blurlab.core.law import Law, require, tried

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
    require(family_laws(family, generator=generator))


def family_laws(family: BlurFamily, *, generator: torch.Generator) -> Iterator[Law]:
    """The laws of :func:`check_family`, each as it is tried."""
    state = generator.get_state()
    blur = family.sample(ITEMS, generator=generator)
    generator.set_state(state)
    again = family.sample(ITEMS, generator=generator)
    same = torch.equal(blur.psf, again.psf) and torch.equal(blur.kind, again.kind)
    yield tried("the same seed gives the same blurs", same, "the same seed gave other blurs")
    yield from _kernels(family, blur.psf)
    yield from _labels(family, blur)
    yield _ends(family)
    yield from _ranges(family, blur)
    single = torch.cat([family.psf(blur.params[i : i + 1], blur.kind[i : i + 1]) for i in range(4)])
    alike = torch.allclose(single, blur.psf[:4], rtol=0, atol=1e-6)
    yield tried("a batch is what its items are one by one", alike, "a batch differs from its items one by one")
    yield from _gradients(family, blur)
    yield _changes(family, blur)
    if isinstance(family, StrengthFamily):
        yield from _strength(family, blur)


def _kernels(family: BlurFamily, psf: Tensor) -> Iterator[Law]:
    shape = (len(psf), 1, family.size, family.size)
    yield tried("the size is odd", family.size % 2 == 1, f"the size is even: {family.size}")
    yield tried("kernels are (n, 1, size, size)", tuple(psf.shape) == shape, f"kernels are {tuple(psf.shape)}")
    finite = bool(torch.isfinite(psf).all())
    yield tried("kernels are finite", finite, "a kernel has NaN or infinite values")
    yield tried("kernels are >= 0", bool((psf >= 0).all()), f"a kernel has a negative value: {float(psf.min()):g}")
    off = float((psf.sum((1, 2, 3)) - 1).abs().max())
    yield tried("a kernel's sum is 1", off < 1e-5, f"a kernel's sum is off 1 by {off:g}")
    if family.symmetric:
        off = float(centroid(psf).abs().max())
        came = f"a kernel's centre of mass is {off:g} px off its centre"
        yield tried("kernels of a symmetric family are centred", off < 1e-4, came)


def _labels(family: BlurFamily, blur: Blur) -> Iterator[Law]:
    kind, params, names = blur.kind, blur.params, family.names
    came = f"params are {tuple(params.shape)}, names are {names}"
    yield tried("parameters have a column for each name", params.shape == (ITEMS, len(names)), came)
    yield tried("each parameter has a name of its own", len({*names}) == len(names), f"two have one name: {names}")
    is_index = kind.dtype == torch.long and kind.shape == (ITEMS,)
    yield tried("kind is an index for each blur", is_index, f"kind is {kind.dtype} {tuple(kind.shape)}")
    known = int(kind.min()) >= 0 and int(kind.max()) < len(family.kinds)
    yield tried("each kind is one of the family's", known, f"a kind is not one of {family.kinds}")
    for column, name, (low, high) in zip(params.T, names, family.bounds, strict=True):
        given = column[~column.isnan()]
        slack = 1e-6 * max(abs(low), abs(high))
        inside = bool(((given >= low - slack) & (given <= high + slack)).all())
        yield tried(f"{name} is drawn within its bounds", inside, f"{name} leaves its bounds [{low:g}, {high:g}]")
    held = bool(family.holds(params).all())
    yield tried("holds() says so", held, "parameters that were drawn are said to lie outside the ranges")


def _ends(family: BlurFamily) -> Law:
    """At every corner of the ranges the kernel fits: its size follows from the largest magnitudes."""
    text = "at the ends of the ranges the kernels keep the laws"
    members = [family.member(kind) for kind in family.kinds] if isinstance(family, Mixture) else [family]
    for member in members:
        corners = torch.tensor(list(product(*member.bounds)))
        try:
            psf = member.psf(corners)
        except ValueError as error:
            return Law(text, f"a kernel at the ends of the ranges cannot be made: {error}")
        for law in _kernels(member, psf):
            if law.breach:
                return Law(text, law.breach)
    return Law(text)


def _ranges(family: BlurFamily, blur: Blur) -> Iterator[Law]:
    params = blur.params.double()
    psf = family.psf(params, blur.kind)
    for column, one in enumerate(family.parameters):
        if one.period is not None:
            more = params.clone()
            more[:, column] += one.period
            off = float((family.psf(more, blur.kind) - psf).abs().max())
            came = f"a period of {one.name} more changes the kernel by {off:g}"
            yield tried(f"a period of {one.name} more is the same kernel", off < SAME, came)
            off = float((family.psf(family.within(more), blur.kind) - psf).abs().max())
            came = f"within() changes the kernel of another {one.name} by {off:g}"
            yield tried(f"within() leaves the kernel of another {one.name}", not one.goes_round or off < SAME, came)
    kept = torch.allclose(family.within(params), params, rtol=0, atol=SAME, equal_nan=True)
    yield tried("within() leaves what the family draws", kept, "within() changes what the family draws")
    known = family.measurable(params)
    told = known.dtype == torch.bool and known.shape == params.shape and not bool((known & params.isnan()).any())
    came = "measurable() is no mask (n, P), or names a parameter that a kind lacks"
    yield tried("measurable() is a mask of parameters that a kind has", told, came)


def _gradients(family: BlurFamily, blur: Blur) -> Iterator[Law]:
    params = blur.params.double().requires_grad_()
    psf = family.psf(params, blur.kind)
    came = f"float64 parameters gave a {psf.dtype} kernel"
    yield tried("float64 parameters give float64 kernels", psf.dtype == torch.float64, came)
    if not psf.requires_grad:
        return
    weight = torch.linspace(-1, 1, psf[0].numel(), dtype=psf.dtype, device=psf.device).view(psf.shape[1:])
    (gradient,) = torch.autograd.grad((psf * (weight + weight**2)).sum(), params)
    finite = bool(torch.isfinite(gradient).all())
    yield tried("gradients are finite", finite, "a gradient in the parameters is NaN or infinite")


def _strength(family: StrengthFamily, blur: Blur) -> Iterator[Law]:
    strength = family.strength_px(blur.params, blur.kind)
    has_one = torch.tensor(
        [not isinstance(family, Mixture) or isinstance(family.member(int(k)), StrengthFamily) for k in blur.kind]
    ).to(strength.device)
    told = torch.equal(strength.isnan(), ~has_one)
    yield tried("a kind has a strength or NaN", told, "a strength is NaN, or a kind without one has one")
    params, kind, strength = blur.params[has_one], blur.kind[has_one], strength[has_one]
    good = bool((torch.isfinite(strength) & (strength >= 0)).all())
    yield tried("strengths are finite and >= 0", good, "a strength is negative or not finite")
    made = {
        "at_strength": family.at_strength(strength, kind),
        "with_strength": family.with_strength(params, strength, kind),
    }
    for name, other in made.items():
        inverts = torch.allclose(family.strength_px(other, kind), strength, rtol=1e-5, atol=1e-6)
        came = f"{name} and strength_px do not invert each other"
        yield tried(f"{name} and strength_px invert each other", inverts, came)


def _changes(family: BlurFamily, blur: Blur) -> Law:
    still = blur.psf[~family.changes(blur.params, blur.kind)]
    pixel = bool((still.flatten(1).amax(1) > 1 - STILL).all())
    return tried("what changes nothing is one pixel", pixel, "a blur wider than a pixel is said to change nothing")
