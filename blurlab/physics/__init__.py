"""Linear operators of imaging: forward, adjoint, normal equations, proximal step; and the laws they obey."""

from blurlab.physics.conjugate_gradient import conjugate_gradient
from blurlab.physics.convolution import Convolution, kernels_of
from blurlab.physics.degraded import Degraded
from blurlab.physics.eigen import EigenBlur, eigen_kernels, grid_places, thin_plate_maps
from blurlab.physics.foreign import Foreign
from blurlab.physics.gradient import Gradient
from blurlab.physics.laws import check_operator
from blurlab.physics.operator import LinearOperator, LocalBlur
from blurlab.physics.product_convolution import ProductConvolution, grid_windows, hat_windows, patch_windows
from blurlab.physics.replaced_rows import replaced_rows

__all__ = [
    "Convolution",
    "Degraded",
    "EigenBlur",
    "Foreign",
    "Gradient",
    "LinearOperator",
    "LocalBlur",
    "ProductConvolution",
    "check_operator",
    "conjugate_gradient",
    "eigen_kernels",
    "grid_places",
    "grid_windows",
    "hat_windows",
    "kernels_of",
    "patch_windows",
    "replaced_rows",
    "thin_plate_maps",
]
