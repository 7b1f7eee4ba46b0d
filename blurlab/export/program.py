"""A module as a program of ``torch.export`` or as an ONNX file, for inputs of one shape."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from blurlab.core.atomic import replace_whole
from blurlab.export.pairs import REAL
from blurlab.export.real import RealArithmetic

TOLERANCE = 1e-4
"""By how much another runtime's numbers may differ, :func:`difference_of_onnx`."""


def exported(module: nn.Module, inputs: Sequence[Tensor]) -> torch.export.ExportedProgram:
    """The program of a module for inputs of these shapes, without complex numbers.

    Args:
        module: In evaluation mode.
        inputs: Examples; their shapes are fixed in the program, their values are not.
    """
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own parts
        steps = torch.export.default_decompositions()
        for whole in [one for one in REAL if one in steps]:
            steps.pop(whole)
        first = torch.export.export(module.eval(), tuple(inputs), strict=False).run_decompositions(steps)
        return torch.export.export(RealArithmetic(first), tuple(inputs), strict=False)


def write_program(program: torch.export.ExportedProgram, path: Path) -> Path:
    """Write a program for ``torch.export.load``, whole or not at all."""
    made = io.BytesIO()
    torch.export.save(program, made)
    with replace_whole(path) as file:
        file.write(made.getvalue())
    return path


def write_onnx(program: torch.export.ExportedProgram, path: Path, outputs: Sequence[str]) -> Path:
    """Write a program as an ONNX file, whole or not at all.

    Args:
        program: Of :func:`exported`.
        path: The file.
        outputs: Names of what it gives.

    Raises:
        ModuleNotFoundError: If ``onnx`` or ``onnxscript`` is not there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = torch.onnx.export(program, dynamo=True, optimize=False, verbose=False, output_names=list(outputs))
    assert made is not None
    model = made.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # where each came from in the code: most of the bytes
    data = model.SerializeToString()
    with replace_whole(path) as file:
        file.write(data)
    return path


def difference_of_onnx(path: Path, module: nn.Module, inputs: Sequence[Tensor]) -> float:
    """The largest ``|a - b| / max(1, |b|)`` of what onnxruntime makes of a file on the CPU, a, and its module gives, b.

    Of an angle in degrees single precision has no more digits than that.

    Raises:
        ModuleNotFoundError: If ``onnxruntime`` is not there.
    """
    import onnxruntime

    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3  # errors; it warns of each constant that it cannot fold
    session = onnxruntime.InferenceSession(str(path), quiet, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    theirs = session.run(None, {name: one.numpy() for name, one in zip(names, inputs, strict=True)})
    with torch.no_grad():
        ours = module(*inputs)
    every = [ours] if isinstance(ours, Tensor) else list(ours)
    pairs = zip(theirs, every, strict=True)
    same = [np.array_equal(np.isnan(their), our.isnan().numpy()) for their, our in zip(theirs, every, strict=True)]
    assert all(same), "other values are NaN"
    return max(float(np.nanmax(np.abs(their - our.numpy()) / np.maximum(our.abs().numpy(), 1))) for their, our in pairs)
