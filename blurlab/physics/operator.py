"""What every linear operator of imaging offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor
from torch.linalg import vector_norm

from blurlab.core.rng import generator as make_generator
from blurlab.physics.conjugate_gradient import conjugate_gradient


class LinearOperator(ABC):
    """A linear map A of image batches, sample by sample, and what follows from having its adjoint.

    Subclasses give :meth:`forward` and :meth:`adjoint`; both are differentiable and store no argument. ``A``,
    ``A_adjoint``, ``A_vjp`` and ``prox_l2`` answer as deepinv's do. :func:`blurlab.physics.check_operator` checks a
    subclass.
    """

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """A x for images (B, C, H, W)."""

    @abstractmethod
    def adjoint(self, y: Tensor) -> Tensor:
        """A* y, images (B, C, H, W)."""

    def rows(self, keep: Tensor) -> Self:
        """The operator of the images where ``keep`` (B,) is true, or of those at its indices.

        Itself where every image has the same operator; a subclass that keeps something for each image overrides it.
        """
        return self

    def to(self, like: Tensor) -> Self:
        """The operator in the dtype and on the device of ``like``; itself where it keeps no tensors."""
        return self

    def A(self, x: Tensor) -> Tensor:
        """:meth:`forward`, by the name that deepinv's solvers call."""
        return self.forward(x)

    def A_adjoint(self, y: Tensor) -> Tensor:
        """:meth:`adjoint`, by the name that deepinv's solvers call."""
        return self.adjoint(y)

    def A_vjp(self, x: Tensor, v: Tensor) -> Tensor:
        """A* v, the gradient of <A x, v> in x; deepinv's gradient of a data fidelity asks for it."""
        return self.adjoint(v)

    def normal(self, x: Tensor, weight: float | Tensor = 0.0) -> Tensor:
        """(A*A + weight I) x.

        Args:
            x: Images (B, C, H, W).
            weight: Number, or one per image (B,).

        Returns:
            Images (B, C, H, W).
        """
        return self.adjoint(self.forward(x)) + per_image(weight, x) * x

    def solve(
        self,
        rhs: Tensor,
        weight: float | Tensor,
        *,
        tolerance: float | None = None,
        max_iterations: int = 500,
    ) -> Tensor:
        """(A*A + weight I)^-1 rhs by preconditioned conjugate gradients.

        Differentiable in ``rhs``, ``weight`` and the operator: the backward pass is one more solve, not the
        iterations played back.

        Args:
            rhs: Images (B, C, H, W).
            weight: Number > 0, or one per image (B,).
            tolerance: Relative residual at which an image stops; None: 10 units of round-off.
            max_iterations: Most applications of A*A; an image that needs more is returned as it is then.

        Returns:
            Images (B, C, H, W).

        Raises:
            ValueError: If a weight is not positive.
        """
        check_weight(weight, "weight")
        return conjugate_gradient(
            lambda x: self.normal(x, weight),
            rhs,
            precondition=lambda x: self._approximate_inverse(x, weight),
            tolerance=tolerance,
            max_iterations=max_iterations,
        )

    def prox_l2(self, z: Tensor, y: Tensor, gamma: float | Tensor) -> Tensor:
        """argmin_x gamma/2 ||A x - y||^2 + 1/2 ||x - z||^2, the convention of deepinv.

        Args:
            z: Images (B, C, H, W).
            y: Observations, shaped as ``forward(z)``.
            gamma: Step > 0, or one per image (B,).

        Returns:
            Images (B, C, H, W).

        Raises:
            ValueError: If a step is not positive.
        """
        check_weight(gamma, "gamma")
        inverse = 1.0 / gamma
        return self.solve(self.adjoint(y) + per_image(inverse, z) * z, inverse)

    def norm(
        self,
        shape: tuple[int, int, int, int],
        *,
        iterations: int = 50,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Largest singular value of each sample's map, by power iteration on A*A; from below, never above it.

        It starts from uniform draws in [0, 1): their large mean is where a blur is strongest.

        Args:
            shape: Images (B, C, H, W) that the operator takes.
            iterations: Applications of A*A, >= 1.
            generator: Where the start is drawn; None: a fixed seed.

        Returns:
            Norms (B,).
        """
        draw = make_generator("norm") if generator is None else generator
        like = self._like()
        with torch.no_grad():
            x = torch.rand(shape, generator=draw, device=draw.device).to(like)
            for _ in range(iterations):
                x = x / vector_norm(x, dim=(1, 2, 3), keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
                x = self.normal(x)
            return vector_norm(x, dim=(1, 2, 3)).sqrt()

    def _approximate_inverse(self, x: Tensor, weight: float | Tensor) -> Tensor:
        """Preconditioner of :meth:`solve`: symmetric positive definite, near (A*A + weight I)^-1."""
        return x

    def _like(self) -> Tensor:
        """A tensor of the dtype and on the device that the operator works with."""
        return torch.zeros(())


class LocalBlur(LinearOperator):
    """A blur that is nearly a convolution in the neighbourhood of each pixel, so that it can be taken apart into tiles.

    Rows and columns are those of the blurred image y.
    """

    @abstractmethod
    def psf_at(self, row: int, col: int) -> Tensor:
        """The image of a point at a pixel: kernels (B, 1, k, k), or (1, 1, k, k) where all images share one."""

    @abstractmethod
    def window(self, rows: tuple[int, int], cols: tuple[int, int]) -> LinearOperator:
        """The operator of a part of y alone.

        Args:
            rows: First row and the one after the last.
            cols: First column and the one after the last.

        Returns:
            An operator from the sharp pixels that the part depends on, a kernel's radius more on every side, to the
            part; what the boundary condition says of pixels beyond the image is left open.
        """


def per_image(value: float | Tensor, images: Tensor) -> float | Tensor:
    """A number as it is; one number per image, (B,), shaped to multiply (B, C, H, W)."""
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    return value.reshape(-1, *([1] * (images.ndim - 1)))


def check_weight(weight: float | Tensor, name: str) -> None:
    """Raise unless every value is finite and positive.

    Raises:
        ValueError: With the values that came.
    """
    value = torch.as_tensor(weight).detach()
    if value.ndim > 1:
        raise ValueError(f"{name} must be a number or one per image (B,), got shape {tuple(value.shape)}")
    if not bool(((value > 0) & torch.isfinite(value)).all()):
        raise ValueError(f"{name} must be finite and > 0, got {value.flatten().tolist()[:4]}; use a small value")
