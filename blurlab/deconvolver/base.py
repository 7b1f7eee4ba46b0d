"""The contract of every deconvolver: (y, blur, sigma) -> Restored."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import torch
from torch import Tensor

from blurlab.core.checks import all_finite, check_images
from blurlab.deconvolver.arguments import check_kernels, check_noise, check_operator_of
from blurlab.deconvolver.hidden import keep_where_nearer
from blurlab.deconvolver.parts import measure_sigma
from blurlab.deconvolver.scale import check_range, check_reach, image_level
from blurlab.noise.level import KERNEL_ERROR_PX
from blurlab.physics import Convolution, LinearOperator

SIGMA_FLOOR = 1e-3
"""Noise that a deconvolver assumes where it is told of less, in units of the image's level: what 8 bits for the range
of the image would add. A dim image in a file of many bits may well have less on the [0, 1] scale."""


@dataclass(frozen=True)
class Restored:
    """What a deconvolver hands back.

    Args:
        image: Restored images (B, C, H, W), finite.
        history: Name -> one number per check of the iteration, mean over the images still iterated on; may be empty.
    """

    image: Tensor
    history: dict[str, list[float]] = field(default_factory=dict)


class Deconvolver(ABC):
    """Restores images whose blur and noise are known.

    A subclass writes :meth:`restore`; this class checks the call, brings all arguments to one shape, device and type,
    switches autograd and autocast off, and never lets a NaN pass. An image's result does not depend on its batch.

    An image is restored at its own level (:func:`~blurlab.deconvolver.scale.image_level`), a power of two: a dim one is
    brightened, with its noise, and the result is darkened again. So one of a 256th of the intensities is restored too.

    Where sigma is told and noise hides the blur, as in a smooth image, y itself is handed back if it is expected to be
    nearer to the sharp image (:func:`~blurlab.deconvolver.hidden.keep_where_nearer`).

    Every deconvolver takes kernels, as a tensor or as a :class:`~blurlab.physics.Convolution`.

    Attributes:
        takes: Classes of the operators beside convolutions that :meth:`restore` may be given.
        estimates_outside: Does it estimate the image beyond its border too, held within bounds there and here? Then a
            kernel may be wider than the image. Without bounds the little that y says of such a kernel is magnified to
            many times the range of intensities.
        tolerance: Relative change at which an iteration is done; 0 where it never ends early.
        boundary: What it assumes of what lies beyond the border of y, one of ``border.BOUNDARIES``.
        has_gradient: Can the result be differentiated in y and the blur (:meth:`differentiable`)?
        own_level: Is each image restored at its own level? Not where it is frozen: pieces come at that of the whole.
        keeps_hidden: Is y kept where noise hides the blur? Not by what works on other values than y's.
        stops_at_noise: Does it end once its blurred image is as near to y as the noise is great? Told of more than
            there is it ends too soon, and need not be told of more: it has not yet magnified any.
        kernel_error_px: How far kernels are assumed to be out of place where the noise is measured, a number or one per
            image (B,) (:meth:`allowing`).
        upper: Greatest intensity of its images; infinite where it has no bound. At levels of their own
            (:meth:`at_level`) one for each image, (B, 1, 1, 1).
    """

    takes: tuple[type[LinearOperator], ...] = ()
    boundary: str = "padded"
    upper: float | Tensor = math.inf
    estimates_outside: bool = False
    tolerance: float = 0.0
    has_gradient: bool = False
    own_level: bool = True
    keeps_hidden: bool = True
    stops_at_noise: bool = False
    kernel_error_px: float | Tensor = KERNEL_ERROR_PX

    def __call__(self, y: Tensor, blur: Tensor | LinearOperator, sigma: float | Tensor | None = None) -> Restored:
        """Restore a batch.

        Args:
            y: Observed images (B, C, H, W) on the [0, 1] scale, any device; half precision is computed in float32.
            blur: Kernels (B, 1, k, k) or (1, 1, k, k), k odd, sum 1, centred at ``k // 2``; or an operator that gives
                images of y's shape. Of a :class:`~blurlab.physics.Convolution` the kernels are taken, and what lies
                beyond the border is this deconvolver's own ``boundary``; any other operator brings its own.
            sigma: Noise standard deviation on the [0, 1] scale, a float or (B,); None measures it in each image and
                allows for a kernel that is not exact (:func:`~blurlab.noise.level.effective_sigma`); for one that is,
                give :func:`~blurlab.noise.estimate_sigma` of y.

        Returns:
            Images of y's shape and, save half precision, its type.

        Raises:
            TypeError: If y is not a floating-point tensor, or the operator is none that this class takes.
            ValueError: If y, blur or sigma has another shape, or values that cannot be, or y another scale.
            ArithmeticError: If the restored image is not finite.
        """
        with torch.no_grad():
            restored, psf, noise = self._restored(y, blur, sigma)
            if sigma is not None and self.own_level and self.keeps_hidden and isinstance(psf, Tensor):
                keep_where_nearer(restored.image, y, psf, noise)
        return restored

    def differentiable(self, y: Tensor, blur: Tensor | LinearOperator, sigma: float | Tensor | None = None) -> Restored:
        """As a call, but autograd records it, so that what made y or the blur can be trained through it.

        The iterations are recorded one by one: memory grows with their number. A weight that a rule chose from the
        image is held fixed, and so are the image's level and the noise measured in it.

        Raises:
            TypeError: If the class has no gradient (``has_gradient``), or as a call does.
            ValueError: As a call does.
            ArithmeticError: As a call does.
        """
        if not self.has_gradient:
            raise TypeError(
                f"{type(self).__name__} has no gradient, it overwrites what it would need on the way back; use Wiener,"
                " TV, DouglasRachford, or Learned with UnrolledDR"
            )
        return self._restored(y, blur, sigma)[0]

    def _restored(
        self, y: Tensor, blur: Tensor | LinearOperator, sigma: float | Tensor | None
    ) -> tuple[Restored, Any, Tensor]:
        """What is restored, and the checked blur and noise."""
        blur, noise = self.checked(y, blur, sigma)
        with torch.autocast(y.device.type, enabled=False):
            restored = self.restore_at_level(y.to(noise.dtype), blur, noise)
        if not all_finite(restored.image):
            raise ArithmeticError(f"{type(self).__name__} diverged on images of {tuple(y.shape)}; use a larger weight")
        return restored, blur, noise

    def checked(self, y: Tensor, blur: Tensor | LinearOperator, sigma: float | Tensor | None) -> tuple[Any, Tensor]:
        """The blur as :meth:`restore` takes it, and noise (B, 1, 1, 1) > 0, of the type to compute in; see the call.

        Returns:
            Kernels (B, 1, k, k), or the operator; the noise; both on y's device.
        """
        y = y.detach() if isinstance(y, Tensor) else y
        check_images(y, "y")
        upper = float(self.upper)
        check_reach(y, upper)
        level = image_level(y, upper)
        work = y.new_empty(0, dtype=torch.float64 if y.dtype == torch.float64 else torch.float32)
        if isinstance(blur, Convolution):
            blur = blur.psf
        if isinstance(blur, LinearOperator):
            blur = self._checked_operator(blur, y, work)
        else:
            check_kernels(blur.detach() if isinstance(blur, Tensor) else blur, y, self.estimates_outside)
            blur = _kernels(blur, work).expand(len(y), -1, -1, -1)
        if sigma is not None:
            check_noise(sigma, len(y), upper)
        noise = self.measured_sigma(y, level, blur) if sigma is None else torch.as_tensor(sigma)
        noise = noise.to(work).expand(len(y)).reshape(-1, 1, 1, 1)
        if self.own_level:
            check_range(y, upper, noise)
        return blur, noise.maximum(SIGMA_FLOOR * level.to(work))

    def measured_sigma(self, y: Tensor, level: Tensor, blur: Tensor | LinearOperator) -> Tensor:
        """The noise (B,) to restore images with where none is told; an inexact kernel counts as noise."""
        return measure_sigma(y, level, kernel_error_px=self.kernel_error_px)

    def _checked_operator(self, blur: LinearOperator, y: Tensor, work: Tensor) -> LinearOperator:
        """The operator in the type to compute in, or the error that says what this class takes."""
        if not isinstance(blur, self.takes):
            also = "".join(f" or a {one.__name__}" for one in self.takes)
            raise TypeError(
                f"{type(self).__name__} takes kernels (B, 1, k, k){also}, got a {type(blur).__name__}; use Tiled, which"
                " restores each tile with the kernel there, or DouglasRachford"
            )
        blur = blur.to(work)
        check_operator_of(blur, y.to(work))
        return blur

    def restore_at_level(self, y: Tensor, blur: Any, sigma: Tensor) -> Restored:
        """:meth:`restore` of checked arguments, images divided by their level and multiplied by it again."""
        level = image_level(y, float(self.upper))
        if not self.own_level or bool((level == 1).all()):
            return self.restore(y, blur, sigma)
        restored = self.at_level(level).restore(y / level, blur, sigma / level)
        return Restored(restored.image * level, restored.history)

    def at_level(self, level: Tensor) -> Self:
        """The same for images that were divided by ``level`` (B, 1, 1, 1): options that are intensities are too.

        A subclass with more of them than ``upper`` extends this.
        """
        scaled = copy(self)
        scaled.upper = self.upper / level
        return scaled

    def allowing(self, kernel_error_px: Tensor | None) -> Self:
        """The same for kernels that may be so far out of place (B,) where the noise is measured; None changes nothing.

        What is said of a kernel's parameters is more or less sure; a kernel that may be wrong asks for more caution.
        """
        if kernel_error_px is None:
            return self
        other = copy(self)
        other.kernel_error_px = kernel_error_px
        return other

    def of_values(self) -> Self:
        """The same for images whose values were blurred, not the light that they stand for; most know values only."""
        return self

    def of_light(self) -> Self:
        """The same for images that hold light, as a measurement does."""
        return self.of_values()

    def trusting(self) -> Self:
        """The same without the question whether y is nearer: for noise that is told higher than it is."""
        other = copy(self)
        other.keeps_hidden = False
        return other

    def by_kernels(self) -> Self:
        """The same, but given no operator: :class:`Tiled` restores a blur that varies with the kernel of each tile."""
        other = copy(self)
        other.takes = ()
        return other

    def freeze(self, parts: Tensor, psf: Any, sigma: Tensor) -> Self:
        """The same with all that it takes from a whole image fixed, so that pieces of the image are restored alike.

        Here no iteration ends early. What takes a weight from the image extends this and fixes that too.

        Args:
            parts: The image (1, C, H, W), or several parts of it (N, C, h, w); a weight is a mean over them.
            psf: Its kernel (1, 1, k, k); or, where the class ``takes`` it, its operator, and then there is one part.
            sigma: Its noise standard deviation (1, 1, 1, 1).
        """
        frozen = copy(self)
        frozen.tolerance, frozen.own_level = 0.0, False
        return frozen

    @abstractmethod
    def restore(self, y: Tensor, psf: Any, sigma: Tensor) -> Restored:
        """Restore checked arguments, which are not changed.

        Args:
            y: Observed images (B, C, H, W).
            psf: Kernels (B, 1, k, k); or, where the class ``takes`` it, an operator.
            sigma: Noise standard deviation (B, 1, 1, 1), > 0.
        """


Each = TypeVar("Each", Tensor, Tensor | LinearOperator)


def for_parts(one: Each, parts: Tensor) -> Each:
    """What belongs to one image (1, ...), for each of its parts (N, C, h, w); an operator is its own."""
    return one.expand(len(parts), -1, -1, -1) if isinstance(one, Tensor) else one


def _kernels(psf: Tensor, work: Tensor) -> Tensor:
    """Checked kernels in the type to compute in; those that came in half precision are divided by their sum."""
    rounded = psf.dtype in (torch.float16, torch.bfloat16)
    psf = psf.to(work)
    return psf / psf.sum(dim=(-2, -1), keepdim=True) if rounded else psf


def check_option(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Raise unless low <= value <= high.

    Raises:
        ValueError: With the value that came and the range.

    Example:
        >>> check_option("tolerance", 0.1, 0, 1)
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high or math.isinf(value):
        raise ValueError(f"{name} must be a number in [{low:g}, {high:g}], got {value!r}")


def check_count(name: str, value: int, low: int = 1, high: int = 10**6) -> None:
    """Raise unless value is a whole number, low <= value <= high.

    Raises:
        ValueError: With the value that came.

    Example:
        >>> check_count("iterations", 10)
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number in [{low}, {high}], got {value!r}")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise unless value is one of the choices.

    Raises:
        ValueError: With the value that came and the choices.

    Example:
        >>> check_choice("boundary", "circular", ("circular", "padded"))
    """
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
