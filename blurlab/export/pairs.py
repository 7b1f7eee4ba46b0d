"""What operations of a trace become: on complex tensors, in pairs of real ones; on real ones, where ONNX has none."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

aten = torch.ops.aten


class Pair(NamedTuple):
    """A complex tensor.

    Attributes:
        re: Real part.
        im: Imaginary part, of the same shape.
    """

    re: Tensor
    im: Tensor


def flat(args: Any) -> list[Any]:
    """Arguments that stand in lists, one after the other; a pair is one."""
    if isinstance(args, (list, tuple)) and not isinstance(args, Pair):
        return [one for part in args for one in flat(part)]
    return [args]


def of_part(args: Any, part: int) -> Any:
    """Arguments with one part of each complex tensor."""
    if isinstance(args, Pair):
        return args[part]
    return type(args)(of_part(one, part) for one in args) if isinstance(args, (list, tuple)) else args


def paired(args: Any) -> Any:
    """Arguments with pairs in place of Python's complex numbers."""
    if isinstance(args, complex):
        return Pair(args.real, args.imag)  # type: ignore[arg-type]
    if isinstance(args, (list, tuple)) and not isinstance(args, Pair):
        return type(args)(paired(one) for one in args)
    return args


def _pair(value: Any) -> Pair:
    if isinstance(value, Pair):
        return value
    return Pair(value, torch.zeros_like(value) if isinstance(value, Tensor) else 0.0)  # type: ignore[arg-type]


def _multiplied(a: Any, b: Any, product: Callable[[Any, Any], Any] = operator.mul) -> Pair:
    if not isinstance(a, Pair):
        return Pair(product(a, b.re), product(a, b.im))
    if not isinstance(b, Pair):
        return Pair(product(a.re, b), product(a.im, b))
    return Pair(product(a.re, b.re) - product(a.im, b.im), product(a.re, b.im) + product(a.im, b.re))


def _divided(a: Any, b: Any) -> Pair:
    if not isinstance(b, Pair):
        return Pair(a.re / b, a.im / b)
    size = b.re.square() + b.im.square()
    return _multiplied(_multiplied(a, Pair(b.re, -b.im)), 1 / size)


def _added(a: Any, b: Any, alpha: float = 1) -> Pair:
    (a_re, a_im), (b_re, b_im) = _pair(a), _pair(b)
    if abs(alpha) != 1:
        return Pair(a_re + alpha * b_re, a_im + alpha * b_im)
    return Pair(a_re + b_re, a_im + b_im) if alpha > 0 else Pair(a_re - b_re, a_im - b_im)


def _polar(size: Tensor, angle: Tensor) -> Pair:
    return Pair(size * angle.cos(), size * angle.sin())


def _median(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The lower of two in the middle, as torch's, and its place."""
    middle = (x.shape[dim] - 1) // 2
    values, places = (one.narrow(dim, middle, 1) for one in x.sort(dim))
    return (values, places) if keepdim else (values.squeeze(dim), places.squeeze(dim))


def _rolled(x: Tensor, shifts: Sequence[int], dims: Sequence[int]) -> Tensor:
    for shift, dim in zip(shifts, dims, strict=True):
        x = torch.cat(list(x.tensor_split([-shift % x.shape[dim]], dim))[::-1], dim)
    return x


def _written(
    old: Tensor, new: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """``old`` with a slice of an axis replaced."""
    if step != 1:
        written: Tensor = aten.slice_scatter.default(old, new, dim, start, end, step)
        return written
    first, last, _ = slice(start, end).indices(old.shape[dim])
    before, under, after = old.tensor_split([first, last], dim)
    new = new if new.shape == under.shape else new.expand_as(under)
    pieces = [one for one in (before, new, after) if one.shape[dim]]
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim)


def _eye(rows: int, cols: int, dtype: torch.dtype | None) -> Tensor:
    """A unit matrix; in the one of torch's decompositions rows are counted in 16 bits, which runtimes cannot."""
    return (torch.arange(rows)[:, None] == torch.arange(cols)).to(dtype or torch.float32)


def _copied(old: Tensor, new: Tensor, non_blocking: bool = False) -> Tensor:
    return (new if new.dtype == old.dtype else new.to(old.dtype)).expand_as(old)


def _between(a: Tensor, b: Tensor, share: float) -> Tensor:
    return a + share * (b - a) if abs(share) < 0.5 else b - (1 - share) * (b - a)


def _clamped(x: Tensor, low: float | None = None, high: float | None = None) -> Tensor:
    """With bounds of the tensor's own kind of number: the exporter to ONNX wants one type."""
    if x.is_floating_point():
        low, high = (bound if bound is None else float(bound) for bound in (low, high))
    return x.clamp(low, high)


MADE: dict[Any, Callable[..., Pair]] = {aten.polar.default: _polar, aten.complex.default: Pair}
"""What makes complex tensors of real ones."""

REAL: dict[Any, Callable[..., Any]] = {
    aten.clamp.default: _clamped,
    aten.copy.default: _copied,
    aten.eye.default: lambda side, dtype=None, **_: _eye(side, side, dtype),
    aten.eye.m: lambda rows, cols, dtype=None, **_: _eye(rows, cols, dtype),
    aten.fft_fftfreq.default: lambda n, d=1.0, **_: ((torch.arange(n) + n // 2) % n - n // 2) * (1 / (n * d)),
    aten.fft_rfftfreq.default: lambda n, d=1.0, **_: torch.arange(n // 2 + 1) * (1 / (n * d)),
    aten.hypot.default: lambda a, b: (a.square() + b.square()).sqrt(),
    aten.lerp.Scalar: _between,
    aten.median.dim: _median,
    aten.roll.default: _rolled,
    aten.slice_scatter.default: _written,
}
"""What becomes of operations on real tensors that ONNX does not have, has otherwise, or makes many nodes of."""

RULES: dict[Any, Callable[..., Any]] = {
    aten.mul.Tensor: _multiplied,
    aten.bmm.default: lambda a, b: _multiplied(a, b, torch.bmm),
    aten.mm.default: lambda a, b: _multiplied(a, b, torch.mm),
    aten.div.Tensor: _divided,
    aten.add.Tensor: _added,
    aten.addcmul.default: lambda z, a, b, value=1: _added(z, _multiplied(a, b), value),
    aten.sub.Tensor: lambda a, b, alpha=1: _added(a, b, -alpha),
    aten.abs.default: lambda z: (z.re.square() + z.im.square()).sqrt(),
    aten._conj.default: lambda z: Pair(z.re, -z.im),
    aten.conj_physical.default: lambda z: Pair(z.re, -z.im),
    aten.view_as_real.default: lambda z: torch.stack(list(z), -1),
    aten._assert_tensor_metadata.default: lambda *args, **kwargs: None,
}
"""What becomes of complex tensors, by the operation."""

PARTWISE = {
    aten.permute.default, aten.clone.default, aten.expand.default, aten.view.default, aten.reshape.default,
    aten.slice.Tensor, aten.select.int, aten.unsqueeze.default, aten.squeeze.dims, aten.index.Tensor,
    aten.index_select.default, aten.cat.default, aten.neg.default, aten.alias.default, aten.constant_pad_nd.default,
    aten.sum.dim_IntList,
}  # fmt: skip
"""Operations that do the same with the real and the imaginary part."""
