"""Networks as programs of a fixed size for other runtimes: ``torch.export`` and ONNX, without complex numbers.

``blurlab export`` writes those that come with the package (``blurlab.export.shipped``). ``patch_prior`` is none of
them: it is the mixture of Gaussians of ``deconvolver=epll``.
"""

from blurlab.export.networks import FreeKernels, Naming, Restoring, ZernikeCoefficients
from blurlab.export.program import TOLERANCE, difference_of_onnx, exported, write_onnx, write_program

__all__ = [
    "TOLERANCE",
    "FreeKernels",
    "Naming",
    "Restoring",
    "ZernikeCoefficients",
    "difference_of_onnx",
    "exported",
    "write_onnx",
    "write_program",
]
