"""Networks as programs of a fixed size for other runtimes: ``torch.export`` and ONNX, without complex numbers."""

from blurlab.export.networks import Naming, Restoring
from blurlab.export.program import TOLERANCE, difference_of_onnx, exported, write_onnx, write_program

__all__ = ["TOLERANCE", "Naming", "Restoring", "difference_of_onnx", "exported", "write_onnx", "write_program"]
