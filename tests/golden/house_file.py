"""The golden file: of every tensor its mean, its standard deviation and a sample of its values; and the comparison."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

KEPT = 300
"""Values that are kept of a tensor; of a larger one every n-th."""
TOLERANCE = 1e-6
"""Largest difference, as a share of the value where that is above 1."""
ELSEWHERE = 3e-2
"""The same on a processor or with libraries that round otherwise: iterations that end by a threshold magnify that.

Measured with ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE ONEDNN_MAX_CPU_ISA=SSE41: .011 (hyper-Laplacian).
"""


@dataclass(frozen=True)
class Digest:
    """What is kept of a member's tensors.

    Attributes:
        moments: Mean and standard deviation of each tensor, float64: they change with any value.
        sample: Some values of each, float32.
    """

    moments: np.ndarray
    sample: np.ndarray

    def difference(self, other: Digest) -> float:
        """Largest difference, as a share of the value where that is above 1; infinite if the sizes differ."""
        mine, theirs = (np.concatenate([one.moments, one.sample]) for one in (self, other))
        if len(mine) != len(theirs):
            return math.inf
        off = np.abs(mine - theirs) / np.maximum(1, np.abs(theirs))
        return float(np.nan_to_num(off, nan=math.inf).max())

    def equals(self, other: Digest) -> bool:
        """Are all bits equal?"""
        return np.array_equal(self.moments, other.moments) and np.array_equal(self.sample, other.sample)


def digest(tensors: Iterable[Tensor]) -> Digest:
    """What is kept of these tensors.

    Raises:
        ValueError: If a value is NaN or infinite.
    """
    moments, samples = [], []
    for tensor in tensors:
        values = tensor.detach().double().flatten().numpy()
        if not np.isfinite(values).all():
            raise ValueError("a member gave NaN or infinite values")
        step = math.ceil(len(values) / KEPT)
        while step > 1 and math.gcd(step, tensor.shape[-1]) > 1:  # else some columns alone are seen
            step += 1
        moments += [values.mean(), values.std()]
        samples.append(values[::step].astype(np.float32))
    return Digest(np.array(moments), np.concatenate(samples))


def rounding() -> str:
    """A name for how this processor and these libraries round: equal names give equal bits."""
    draw = torch.Generator().manual_seed(0)
    x = torch.rand(2, 8, 33, 47, generator=draw, dtype=torch.float64)
    found = []
    for one in (x, x.float()):
        weight = one[:1, :, :3, :3].expand(8, -1, -1, -1)
        parts = (one @ one.mT, torch.fft.rfft2(one).abs(), torch.nn.functional.conv2d(one, weight), one.exp().sum(-1))
        square = one[..., :33] + 33 * torch.eye(33, dtype=one.dtype)
        parts += (torch.linalg.solve(square, one[..., :5]), one.pow(0.37).log(), one.flatten(2).std(-1))
        found += [part.contiguous().numpy().tobytes() for part in parts]
    return hashlib.sha256(b"".join([torch.__version__.encode(), *found])).hexdigest()[:16]


def write_digests(path: Path, digests: dict[str, Digest]) -> None:
    """Write a golden file; nothing in it is a pickle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        rounding=np.array(rounding()),
        names=np.array(list(digests)),
        tensors=np.array([len(one.moments) // 2 for one in digests.values()]),
        values=np.array([len(one.sample) for one in digests.values()]),
        moments=np.concatenate([one.moments for one in digests.values()]),
        sample=np.concatenate([one.sample for one in digests.values()]),
    )


def read_digests(path: Path) -> tuple[dict[str, Digest], str]:
    """The digests of a golden file by name, and how the processor rounded that it was made on."""
    with np.load(path, allow_pickle=False) as file:
        moments = np.split(file["moments"], np.cumsum(2 * file["tensors"])[:-1])
        samples = np.split(file["sample"], np.cumsum(file["values"])[:-1])
        names = [str(name) for name in file["names"]]
        return dict(zip(names, map(Digest, moments, samples), strict=True)), str(file["rounding"])
