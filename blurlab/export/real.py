"""A traced program without complex numbers: pairs of real tensors, and Fourier transforms as matrix products.

Runtimes of exported networks have no complex numbers, and their Fourier transforms differ. On a grid of fixed sides a
transform along an axis is a product with two matrices, of cosines and of sines.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn

aten = torch.ops.aten
BY_ROOT, BY_N = 1, 2
"""How aten's transforms are normalised: by the root of the number of samples, by that number; 0 is not at all."""


class Pair(NamedTuple):
    """A complex tensor.

    Attributes:
        re: Real part.
        im: Imaginary part, of the same shape.
    """

    re: Tensor
    im: Tensor


class RealArithmetic(nn.Module):
    """A program of :func:`torch.export.export` that computes the same with real tensors alone.

    Args:
        program: With inputs and outputs that are real, and sides that are fixed; its decompositions were run.
    """

    def __init__(self, program: torch.export.ExportedProgram) -> None:
        super().__init__()
        self.program = program.module()
        sides = {side for node in program.graph.nodes for side in _transformed(node)}
        for side in sorted(sides):
            angle = (torch.arange(side)[:, None] * torch.arange(side) % side).double() * (2 * math.pi / side)
            self.register_buffer(f"cos{side}", angle.cos().float(), persistent=False)
            self.register_buffer(f"sin{side}", angle.sin().float(), persistent=False)

    def forward(self, *inputs: Tensor) -> Any:
        """What the program gives for these inputs."""
        return _Interpreter(self.program, self).run(*inputs)

    def waves(self, side: int) -> tuple[Tensor, Tensor]:
        """``cos(2 pi j k / side)`` and the sines, (side, side) each."""
        return getattr(self, f"cos{side}"), getattr(self, f"sin{side}")


def _transformed(node: fx.Node) -> list[int]:
    """Sides of the axes that a node transforms."""
    if node.target is aten._fft_r2c.default or node.target is aten._fft_c2c.default:
        shape = node.args[0].meta["val"].shape  # type: ignore[union-attr]
    elif node.target is aten._fft_c2r.default:
        shape = node.meta["val"].shape
    else:
        return []
    return [int(shape[dim]) for dim in node.args[1]]  # type: ignore[union-attr]


class _Interpreter(fx.Interpreter):
    def __init__(self, program: fx.GraphModule, module: RealArithmetic) -> None:
        super().__init__(program)
        self.waves = module.waves

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if target in ROOM:
            return torch.zeros(args[0], dtype=kwargs.get("dtype"))
        if target is aten._fft_r2c.default:
            return self.to_spectrum(*args)
        if target is aten._to_copy.default and (kwargs.get("dtype") or torch.float32).is_complex:
            return args[0] if isinstance(args[0], Pair) else Pair(args[0], torch.zeros_like(args[0]))
        if not any(isinstance(one, Pair) for one in _flat(args)):
            if target is aten.clamp.default and args[0].is_floating_point():  # the exporter to ONNX wants one type
                args = (args[0], *(one if one is None else float(one) for one in args[1:]))
            return super().call_function(target, args, kwargs)
        if target is aten._fft_c2r.default:
            return self.to_image(*args)
        if target is aten._fft_c2c.default:
            return self.turned(*args)
        if target in PARTWISE:
            return Pair(*(target(*_parts(args, part), **kwargs) for part in (0, 1)))
        if target in RULES:
            return RULES[target](*args, **kwargs)
        raise NotImplementedError(f"{target} of complex tensors has no rule here; add one to {__name__}.RULES")

    def to_spectrum(self, x: Tensor, dims: Sequence[int], norm: int, onesided: bool) -> Pair:
        """``_fft_r2c``: the last of the axes becomes half of a spectrum where it is one-sided."""
        last = dims[-1]
        cos, sin = self.waves(x.shape[last])
        kept = x.shape[last] // 2 + 1 if onesided else x.shape[last]
        first = Pair(_along(x, cos[:, :kept], last), -_along(x, sin[:, :kept], last))
        for dim in dims[:-1]:
            first = self._turn(first, dim, forward=True)
        return _scaled(first, norm, [x.shape[dim] for dim in dims])

    def turned(self, z: Pair, dims: Sequence[int], norm: int, forward: bool) -> Pair:
        """``_fft_c2c``."""
        sides = [z.re.shape[dim] for dim in dims]
        for dim in dims:
            z = self._turn(z, dim, forward)
        return _scaled(z, norm, sides)

    def to_image(self, z: Pair, dims: Sequence[int], norm: int, side: int) -> Tensor:
        """``_fft_c2r``: the last of the axes is half a spectrum of a real line of this length."""
        for dim in dims[:-1]:
            z = self._turn(z, dim, forward=False)
        cos, sin = self.waves(side)
        kept = side // 2 + 1
        twice = torch.full((kept, 1), 2.0)
        twice[0] = 1
        if side % 2 == 0:
            twice[-1] = 1
        re, im = (_along(one, twice.to(cos) * wave[:kept], dims[-1]) for one, wave in zip(z, (cos, sin), strict=True))
        sides = [*(z.re.shape[dim] for dim in dims[:-1]), side]
        return (re - im) * _factor(norm, sides)

    def _turn(self, z: Pair, dim: int, forward: bool) -> Pair:
        cos, sin = self.waves(z.re.shape[dim])
        sin = sin if forward else -sin
        (a, b), (c, d) = ([_along(one, wave, dim) for wave in (cos, sin)] for one in z)
        return Pair(a + d, c - b)  # (re + i im)(cos - i sin)


def _along(x: Tensor, matrix: Tensor, dim: int) -> Tensor:
    """The product of each line along an axis with a matrix (side, other)."""
    return (x.movedim(dim, -1) @ matrix.to(x)).movedim(-1, dim)


def _factor(norm: int, sides: Sequence[int]) -> float:
    return {BY_ROOT: math.prod(sides) ** -0.5, BY_N: 1 / math.prod(sides)}.get(norm, 1.0)


def _scaled(z: Pair, norm: int, sides: Sequence[int]) -> Pair:
    factor = _factor(norm, sides)
    return z if factor == 1 else Pair(z.re * factor, z.im * factor)


def _flat(args: Any) -> list[Any]:
    if isinstance(args, (list, tuple)) and not isinstance(args, Pair):
        return [one for part in args for one in _flat(part)]
    return [args]


def _parts(args: Any, part: int) -> Any:
    """Arguments with one part of each complex tensor."""
    if isinstance(args, Pair):
        return args[part]
    return type(args)(_parts(one, part) for one in args) if isinstance(args, (list, tuple)) else args


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
    return Pair(a_re + alpha * b_re, a_im + alpha * b_im)


RULES: dict[Any, Callable[..., Any]] = {
    aten.mul.Tensor: _multiplied,
    aten.bmm.default: lambda a, b: _multiplied(a, b, torch.bmm),
    aten.mm.default: lambda a, b: _multiplied(a, b, torch.mm),
    aten.div.Tensor: _divided,
    aten.add.Tensor: _added,
    aten.sub.Tensor: lambda a, b, alpha=1: _added(a, b, -alpha),
    aten.abs.default: lambda z: (z.re.square() + z.im.square()).sqrt(),
    aten._conj.default: lambda z: Pair(z.re, -z.im),
    aten.conj_physical.default: lambda z: Pair(z.re, -z.im),
    aten.view_as_real.default: lambda z: torch.stack(list(z), -1),
    aten._assert_tensor_metadata.default: lambda *args, **kwargs: None,
}
"""What becomes of complex tensors, by the operation."""

ROOM = {aten.empty.memory_format, aten.empty_permuted.default}
"""Operations that make room, whose values are written before they are read."""

PARTWISE = {
    aten.permute.default, aten.clone.default, aten.expand.default, aten.view.default, aten.reshape.default,
    aten.slice.Tensor, aten.select.int, aten.unsqueeze.default, aten.squeeze.dims, aten.index.Tensor,
    aten.index_select.default, aten.cat.default, aten.neg.default, aten.alias.default, aten.constant_pad_nd.default,
}  # fmt: skip
"""Operations that do the same with the real and the imaginary part."""
