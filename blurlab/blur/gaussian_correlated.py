"""Gaussian blur by its standard deviations along the image's axes and their correlation."""

from __future__ import annotations

from torch import Tensor

from blurlab.blur.base import BlurFamily, check_params
from blurlab.blur.gaussian import SIGMA_FLOOR_PX, TAIL_SIGMAS, covariance_psf
from blurlab.blur.parameter import Range, length, parameter
from blurlab.blur.values import check_values, work_tensor


def correlated_gaussian_psf(
    sigma_x_px: Tensor, sigma_y_px: Tensor, correlation: Tensor, size: int, nodes: int = 8
) -> Tensor:
    """Elliptic Gaussian integrated over each pixel; what lies outside is cut and the rest renormalised.

    The same kernels as :func:`~blurlab.blur.gaussian.anisotropic_gaussian_psf`, described so that each has one
    description: no two sigmas can be exchanged, and a round blur has the correlation 0 instead of no angle.

    Args:
        sigma_x_px: Standard deviation along +x in pixels (n,), >= 0.
        sigma_y_px: Standard deviation along +y, upwards (n,), >= 0.
        correlation: Of x and y (n,), above -1 and below 1; positive where the ellipse rises to the right.
        size: Side of the kernels, odd.
        nodes: Quadrature nodes in a pixel.

    Returns:
        Kernels (n, 1, size, size), differentiable in all three.

    Raises:
        ValueError: If a sigma is negative, a correlation is not between -1 and 1, a value is not finite, or the size is
            even.

    Example:
        >>> import torch
        >>> correlated_gaussian_psf(*torch.tensor([[0.5], [0.5], [0.6]]), 3)[0, 0]
        tensor([[0.0017, 0.0847, 0.0706],
                [0.0847, 0.5165, 0.0847],
                [0.0706, 0.0847, 0.0017]])
    """
    check_values(size, None, {"sigma_x_px": sigma_x_px, "sigma_y_px": sigma_y_px}, signed={"correlation": correlation})
    if not bool((correlation.abs() < 1).all()):
        raise ValueError(f"correlation must lie between -1 and 1, got {correlation.flatten().tolist()[:4]}")
    sigma_x, sigma_y = (work_tensor(sigma).clamp_min(SIGMA_FLOOR_PX) for sigma in (sigma_x_px, sigma_y_px))
    together = work_tensor(correlation)
    covariance = -together * sigma_x * sigma_y  # rows go down
    given_row = sigma_x * (1 - together**2).sqrt()
    return covariance_psf(sigma_y**2, covariance, given_row, size, sigma_x_px.dtype, nodes)


class CorrelatedGaussian(BlurFamily):
    """Elliptic Gaussians (:func:`correlated_gaussian_psf`): three numbers, none of which is a strength.

    Args:
        sigma_x_px: Range of the standard deviation along +x.
        sigma_y_px: Range of that along +y.
        correlation: Range of their correlation, within (-1, 1).
        size: Side of the kernels; a smaller one than the default cuts more of the tail.

    Raises:
        ValueError: If a correlation of -1 or 1 is in its range: the ellipse would be a line.
    """

    kinds = ("gaussian_correlated",)
    may_cut = True
    has_zeros = False

    def __init__(
        self,
        sigma_x_px: Range = (0.3, 2.5),
        sigma_y_px: Range = (0.3, 2.5),
        correlation: Range = (-0.8, 0.8),
        size: int | None = None,
    ) -> None:
        axes = [length("sigma_x_px", sigma_x_px), length("sigma_y_px", sigma_y_px)]
        together = parameter("correlation", "", correlation, signed=True)
        if together.largest >= 1:
            ends = f"[{together.low:g}, {together.high:g}]"
            raise ValueError(f"correlation must lie between -1 and 1, got {ends}; [-0.8, 0.8] is the default")
        super().__init__([*axes, together], size)

    def extent_px(self, *largest: float) -> float:
        return 2 * TAIL_SIGMAS * max(largest[:2])

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return correlated_gaussian_psf(params[:, 0], params[:, 1], params[:, 2], self.size)
