"""The items that a run restores, one at a time: degraded here, or taken blurred by a camera."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from blurlab.blur import strength_of
from blurlab.core.rng import seed_from
from blurlab.dataset import Captures, Degraded
from blurlab.dataset.prepare import pick_channel
from blurlab.physics import LinearOperator
from blurlab.run.errors import UsageError
from blurlab.run.setup.context import Context
from blurlab.run.stage.examples import blur_title


class Cases(Sequence[Degraded]):
    """Test items as batches of one on the run's device; ``item`` of each is its index here."""

    captured = False
    """Were they taken blurred by a camera, so that their noise is measured and their place is not known?"""

    def __init__(self, context: Context) -> None:
        self.context = context

    @abstractmethod
    def photo(self, index: int) -> str:
        """The id of the photograph that an item shows."""

    def name(self, case: Degraded) -> str:
        """What was done to an item: its kind of blur, with its strength where it has one."""
        return blur_title(self.context.degrade.family.kinds[int(case.kind[0])], float(case.strength_px[0]))


def cases(context: Context) -> Cases:
    """The items of a run: photographs degraded as it says, or a set of captures.

    Of captures each pair of photograph and kernel is one item, as it was taken where border and noise are the camera's,
    else degraded here.
    """
    captures = context.data.captures
    if captures is None:
        return _Drawn(context)
    return (_Captured if context.cfg.boundary.data == "captured" else _Paired)(context, captures)


class _Drawn(Cases):
    """The first ``budget.draws_restore`` draws of each photograph, which are those that stage ``evaluate`` restores."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.draws = context.budget["draws_restore"]
        self.items = context.degraded("test", self.draws)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Degraded:  # type: ignore[override]  # no slices
        return self.items[index]

    def photo(self, index: int) -> str:
        return self.context.data.test.ids[index // self.draws]


class _Pairs(Cases):
    """Each photograph through each kernel that it was taken through."""

    def __init__(self, context: Context, captures: Captures) -> None:
        super().__init__(context)
        ids, kinds = context.data.test.ids, context.degrade.family.kinds
        self.captures = captures
        self.pairs = [(photo, kernel) for photo, name in enumerate(ids) for kernel in captures.kernels(name)]
        unknown = sorted({kernel for _, kernel in self.pairs} - {*kinds})
        if unknown or not self.pairs:
            raise UsageError(
                f"{captures.name} was taken through {unknown[0] if unknown else 'no kernel'}, and this run's blurs are "
                f"{', '.join(kinds)}; use blur=levin"
            )

    def __len__(self) -> int:
        return len(self.pairs)

    def photo(self, index: int) -> str:
        return self.context.data.test.ids[self.pairs[index][0]]

    def __getitem__(self, index: int) -> Degraded:  # type: ignore[override]  # no slices
        photo, kernel = self.pairs[index]
        degrade = self.context.degrade
        sharp = _batch(np.divide(self.context.data.test.arrays[photo], 255, dtype=np.float32)).to(self.context.device)
        kind = torch.tensor([degrade.family.kinds.index(kernel)])
        params = torch.full((1, len(degrade.family.names)), torch.nan)
        boundary = "valid" if self.captured else degrade.boundary
        blur = degrade.family.operator(params, kind, shape=(sharp.shape[-2], sharp.shape[-1]), boundary=boundary)
        y, x, sigma = self.observe(index, blur.to(sharp), sharp)
        return Degraded(
            x=x,
            y=y,
            blur=blur.to(sharp),
            kind=kind,
            params=params,
            strength_px=strength_of(degrade.family, params, kind).nan_to_num(0.0),
            sigma=sigma,
            item=torch.tensor([index]),
            weight=torch.ones(1),
        )

    @abstractmethod
    def observe(self, index: int, blur: LinearOperator, sharp: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What was observed of a sharp photograph, the part of this that belongs to it, and the noise level (1,)."""


class _Captured(_Pairs):
    """... as it was taken."""

    captured = True

    def observe(self, index: int, blur: LinearOperator, sharp: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        photo, kernel = self.pairs[index]
        data = self.context.data
        taken = self.captures.observed(data.test.ids[photo], kernel)
        y = _batch(centre(pick_channel(taken, str(self.context.cfg.dataset.channel)), data.size)).to(sharp)
        return y, sharp, self.context.degrade.noise(y, generator=torch.Generator())[1]  # measured: nothing is drawn


class _Paired(_Pairs):
    """... with blur and noise that are made here; the noise is a matter of the run's seed and the pair's names."""

    def observe(self, index: int, blur: LinearOperator, sharp: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seed = seed_from(self.context.seed, "test", self.photo(index), self.pairs[index][1])
        return self.context.degrade.observe(blur, sharp, generator=[torch.Generator().manual_seed(seed)])


def centre(image: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """The central square (size, size, C) of an image (H, W, C), as it is.

    Raises:
        UsageError: If the image is smaller.
    """
    rows, cols = image.shape[:2]
    if min(rows, cols) < size:
        raise UsageError(f"an image of {rows}x{cols} px was taken of a photograph of {size}x{size}; lower dataset.size")
    top, left = (rows - size) // 2, (cols - size) // 2
    return image[top : top + size, left : left + size]


def _batch(image: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
