"""A traced program without complex numbers: pairs of real tensors, and Fourier transforms as matrix products.

Runtimes of exported networks have no complex numbers, and their Fourier transforms differ. On a grid of fixed sides a
transform along an axis is a product with two matrices, of cosines and of sines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from blurlab.export.pairs import MADE, PARTWISE, REAL, RULES, Pair, flat, of_part, paired

aten = torch.ops.aten
BY_ROOT, BY_N = 1, 2
"""How aten's transforms are normalised: by the root of the number of samples, by that number; 0 is not at all."""
WHOLE, TO_HALF, FROM_HALF = "whole", "to_half", "from_half"
"""Matrices of a transform: of all frequencies; to the half that a real line has; and from that half."""
ROOM = {aten.empty.memory_format, aten.empty_permuted.default}
"""Operations that make room, whose values are written before they are read."""
WAYS = {
    aten._fft_r2c.default: TO_HALF,
    aten._fft_c2r.default: FROM_HALF,
    aten._fft_c2c.default: WHOLE,
}
"""What the last of its axes asks for, by the transform; the others are whole."""


class RealArithmetic(nn.Module):
    """A program of :func:`torch.export.export` that computes the same with real tensors alone.

    Args:
        program: With inputs and outputs that are real, and sides that are fixed; its decompositions were run.
    """

    def __init__(self, program: torch.export.ExportedProgram) -> None:
        super().__init__()
        self.program = program.module()
        for side, way in sorted({one for node in program.graph.nodes for one in _transformed(node)}):
            for name, wave in zip(("cos", "sin"), _waves(side, way), strict=True):
                self.register_buffer(f"{name}{side}{way}", wave.float(), persistent=False)

    def forward(self, *inputs: Tensor) -> Any:
        """What the program gives for these inputs."""
        return _Interpreter(self.program, self).run(*inputs)

    def waves(self, side: int, way: str) -> tuple[Tensor, Tensor]:
        """What lines (..., side) are multiplied by: the matrix of cosines and that of sines."""
        return getattr(self, f"cos{side}{way}"), getattr(self, f"sin{side}{way}")


def _waves(side: int, way: str) -> tuple[Tensor, Tensor]:
    """``cos(2 pi j k / side)`` and the sines, of the samples and frequencies of a way, float64."""
    angle = (torch.arange(side)[:, None] * torch.arange(side) % side).double() * (2 * math.pi / side)
    kept = side // 2 + 1
    if way == TO_HALF:
        angle = angle[:, :kept]
    if way != FROM_HALF:
        return angle.cos(), angle.sin()
    twice = torch.full((kept, 1), 2.0, dtype=torch.float64)
    twice[0] = 1
    if side % 2 == 0:
        twice[-1] = 1
    return twice * angle[:kept].cos(), twice * angle[:kept].sin()


def _transformed(node: fx.Node) -> list[tuple[int, str]]:
    """Sides of the axes that a node transforms, and the way of each."""
    if node.target not in WAYS:
        return []
    whole = node if WAYS[node.target] == FROM_HALF else node.args[0]
    shape = whole.meta["val"].shape  # type: ignore[union-attr]
    *others, last = (int(shape[dim]) for dim in node.args[1])  # type: ignore[union-attr]
    way = WHOLE if WAYS[node.target] == TO_HALF and not node.args[3] else WAYS[node.target]
    return [*((side, WHOLE) for side in others), (last, way)]


class _Interpreter(fx.Interpreter):
    def __init__(self, program: fx.GraphModule, module: RealArithmetic) -> None:
        super().__init__(program)
        self.waves = module.waves

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if target in ROOM:
            return torch.zeros(args[0], dtype=kwargs.get("dtype"))
        if target in MADE:
            return MADE[target](*args)
        if target is aten._fft_r2c.default:
            return self.to_spectrum(*args)
        if target is aten._to_copy.default and (kwargs.get("dtype") or torch.float32).is_complex:
            return args[0] if isinstance(args[0], Pair) else Pair(args[0], torch.zeros_like(args[0]))
        args, apply = paired(args), REAL.get(target, target)
        if not any(isinstance(one, Pair) for one in flat(args)):
            return apply(*args, **kwargs) if target in REAL else super().call_function(target, args, kwargs)
        if target is aten._fft_c2r.default:
            return self.to_image(*args)
        if target is aten._fft_c2c.default:
            return self.turned(*args)
        if target in PARTWISE or target in REAL:
            return Pair(*(apply(*of_part(args, part), **kwargs) for part in (0, 1)))
        if target in RULES:
            return RULES[target](*args, **kwargs)
        raise NotImplementedError(f"{target} of complex tensors has no rule; add one to blurlab.export.pairs.RULES")

    def to_spectrum(self, x: Tensor, dims: Sequence[int], norm: int, onesided: bool) -> Pair:
        """``_fft_r2c``: the last of the axes becomes half of a spectrum where it is one-sided."""
        last = dims[-1]
        cos, sin = self.waves(x.shape[last], TO_HALF if onesided else WHOLE)
        first = Pair(_along(x, cos, last), -_along(x, sin, last))
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
        re, im = (_along(one, wave, dims[-1]) for one, wave in zip(z, self.waves(side, FROM_HALF), strict=True))
        return (re - im) * _factor(norm, [*(z.re.shape[dim] for dim in dims[:-1]), side])

    def _turn(self, z: Pair, dim: int, forward: bool) -> Pair:
        cos, sin = self.waves(z.re.shape[dim], WHOLE)
        (a, b), (c, d) = ([_along(one, wave, dim) for wave in (cos, sin)] for one in z)
        return Pair(a + d, c - b) if forward else Pair(a - d, c + b)  # (re + i im)(cos -+ i sin)


def _along(x: Tensor, matrix: Tensor, dim: int) -> Tensor:
    """The product of each line along an axis with a matrix (side, other)."""
    matrix = matrix if matrix.dtype == x.dtype else matrix.to(x.dtype)
    if dim in (-1, x.ndim - 1):
        return x @ matrix
    if dim in (-2, x.ndim - 2) and matrix.shape[0] == matrix.shape[1]:
        return matrix @ x  # all frequencies: symmetric
    return (x.movedim(dim, -1) @ matrix).movedim(-1, dim)


def _factor(norm: int, sides: Sequence[int]) -> float:
    return {BY_ROOT: math.prod(sides) ** -0.5, BY_N: 1 / math.prod(sides)}.get(norm, 1.0)


def _scaled(z: Pair, norm: int, sides: Sequence[int]) -> Pair:
    factor = _factor(norm, sides)
    return z if factor == 1 else Pair(z.re * factor, z.im * factor)
