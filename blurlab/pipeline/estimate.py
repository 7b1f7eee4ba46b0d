"""What is found of the blur in a batch of images: what to undo and, where it has a name, which blur it is."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, identity_psf
from blurlab.deconvolver import Deconvolver
from blurlab.physics import Convolution, LinearOperator, kernels_of, replaced_rows

BOUNDARY = "valid"
"""How photographs are made: what lies beyond their border was blurred into them too."""

EVEN = 1e-6
"""Difference of probabilities that rounding makes."""


@dataclass(frozen=True)
class KindEstimate:
    """Which blur of a family it is, how strong, and how sure that is.

    Attributes:
        kind: Index of the most probable kind in the family's ``kinds`` (B,).
        probability: Probabilities of the kinds (B, K).
        strength_px: Strength of the kernel to hand on, chosen by expected risk (B,); 0 where none is.
        strength_map_px: Strength of the most probable class (B,); 0 where no blur was found.
        strength_mean_px: Mean of the posterior (B,); 0 where no blur was found.
        interval_px: 90 % interval of the strength (B, 2); NaN where no blur was found, its upper end infinite where
            the strength is ``beyond``.
        params: Best estimate of the parameters (B, P), in the family's order; NaN where the kind found has none.
        most_probable: The blur of the most probable class, without a label.
        halfwidth: Half of the 90 % interval of each of ``params`` (B, P); None where there is none but the strength's.
        before: Kind (B,) and parameters (B, P) that the network said before they were refined; None where none were.
        beyond: Is the strength at the upper end of what can be measured, and may be greater (B,) bool? None: nowhere.
        soft_px: Standard deviation of the Gaussian (B,) [px] that is undone where an image is soft, and which kind of
            softness it is not sure; NaN elsewhere. None: nowhere.
        network_psf: The kernels (B, 1, k, k) that a network names by itself, where another step decides; None: none.
        supposed: Best estimate of the parameters of each kind (B, P), as if it were the true one; None: not known.
    """

    kind: Tensor
    probability: Tensor
    strength_px: Tensor
    strength_map_px: Tensor
    strength_mean_px: Tensor
    interval_px: Tensor
    params: Tensor
    most_probable: BlurEstimate
    halfwidth: Tensor | None = None
    before: tuple[Tensor, Tensor] | None = None
    beyond: Tensor | None = None
    soft_px: Tensor | None = None
    network_psf: Tensor | None = None
    supposed: Tensor | None = None

    @property
    def can_tell(self) -> Tensor:
        """Which images show something of their blur (B,) bool: not where every kind is as likely."""
        kinds = self.probability.shape[1]
        return (self.probability.amax(1) > 1 / kinds + EVEN) | (kinds == 1)

    def take(self, rows: Tensor) -> KindEstimate:
        """The estimate of some of the images (m,)."""
        taken = {one.name: value[rows] for one in fields(self) if isinstance(value := getattr(self, one.name), Tensor)}
        before = None if self.before is None else (self.before[0][rows], self.before[1][rows])
        return replace(self, **taken, before=before, most_probable=self.most_probable.take(rows))

    def with_rows(self, rows: Tensor, other: KindEstimate) -> KindEstimate:
        """This estimate with some rows (m,) replaced by those of another (m of them), in what both of them have."""
        changed = {
            field.name: _replaced(mine, rows, value)
            for field in fields(self)
            if isinstance(value := getattr(other, field.name), Tensor)
            and isinstance(mine := getattr(self, field.name), Tensor)
        }
        before = other.before
        if before is not None:
            before = _replaced(self.kind, rows, before[0]), _replaced(self.params, rows, before[1])
        blur = self.most_probable.with_rows(rows, other.most_probable)
        return replace(self, **changed, before=before, most_probable=blur)


@dataclass(frozen=True)
class BlurEstimate:
    """The blur of a batch of images, ready to be undone.

    Attributes:
        blur: What a deconvolver has to undo, one operator an image.
        blurred: Is there anything to undo (B,) bool? What is not blurred is left as it is.
        sigma: Noise standard deviation found in the image (B,); None where it was not looked for.
        label: What the blur is called; None where it is a kernel without a name.
        error_px: How far the kernel may be out of place (B,) [px], for deconvolvers that measure the noise
            (:meth:`~blurlab.deconvolver.Deconvolver.allowing`); None where nothing is known of that.
        of_values: Were the values of the file blurred, not light (B,) bool
            (:meth:`~blurlab.deconvolver.Deconvolver.of_values`)? None: nowhere.
        field: How a motion differs over the image (B, 3, 2), :func:`~blurlab.pipeline.turning.motion_field`; NaN where
            it does not, or is not known to. ``blur`` is one kernel all the same. None: nowhere.
        stop: The round field of an eye, row and column of its middle and its radius (B, 3) [px], whose rim is that of a
            stop in the camera (:func:`~blurlab.physics.field_stop.field`); NaN where there is none. None: nowhere.
    """

    blur: LinearOperator
    blurred: Tensor
    sigma: Tensor | None = None
    label: KindEstimate | None = None
    error_px: Tensor | None = None
    of_values: Tensor | None = None
    field: Tensor | None = None
    stop: Tensor | None = None

    @property
    def alone(self) -> Tensor:
        """Which images (B,) are restored one by one: their motion differs, or they have a stop."""
        stopped = torch.zeros_like(self.blurred) if self.stop is None else self.stop.isfinite().all(1)
        return self.turns | stopped

    @property
    def turns(self) -> Tensor:
        """In which images does the motion differ (B,) bool?"""
        return torch.zeros_like(self.blurred) if self.field is None else self.field.isfinite().all(2).all(1)

    def without_field(self, row: int) -> BlurEstimate:
        """The same, one image's motion alike all over it."""
        field = None if self.field is None else self.field.clone()
        if field is not None:
            field[row] = torch.nan
        return replace(self, field=field)

    def with_kernels(self, rows: Tensor, psf: Tensor) -> BlurEstimate:
        """The same with other kernels (m, 1, k, k) of some rows (m,)."""
        return replace(self, blur=Convolution(self.psf.index_copy(0, rows, psf.to(self.psf)), BOUNDARY))

    @property
    def psf(self) -> Tensor:
        """The kernels (B, 1, k, k).

        Raises:
            TypeError: If the blur is not one kernel an image.
        """
        return kernels_of(self.blur)

    def take(self, rows: Tensor) -> BlurEstimate:
        """The estimate of some of the images (m,)."""
        return BlurEstimate(
            self.blur.rows(rows),
            self.blurred[rows],
            None if self.sigma is None else self.sigma[rows],
            None if self.label is None else self.label.take(rows),
            None if self.error_px is None else self.error_px[rows],
            None if self.of_values is None else self.of_values[rows],
            None if self.field is None else self.field[rows],
            None if self.stop is None else self.stop[rows],
        )

    def with_rows(self, rows: Tensor, other: BlurEstimate) -> BlurEstimate:
        """This estimate with some rows (m,) replaced by those of another (m of them), with what both of them have.

        Raises:
            TypeError: If a blur is neither a convolution nor a product-convolution.
        """
        (mine, sigma), (own, label) = (self.sigma, other.sigma), (self.label, other.label)
        error, new = self.error_px, other.error_px
        nowhere = torch.zeros_like(self.blurred)
        values = nowhere if self.of_values is None else self.of_values
        theirs = nowhere[rows] if other.of_values is None else other.of_values
        field, turned = _known(self.field, other.field, len(nowhere), len(rows), (3, 2))
        stop, stopped = _known(self.stop, other.stop, len(nowhere), len(rows), (3,))
        return BlurEstimate(
            replaced_rows(self.blur, rows, other.blur, len(self.blurred)),
            _replaced(self.blurred, rows, other.blurred),
            None if mine is None or sigma is None else _replaced(mine, rows, sigma),
            None if own is None or label is None else own.with_rows(rows, label),
            None if error is None or new is None else _replaced(error, rows, new),
            _replaced(values, rows, theirs),
            None if field is None or turned is None else _replaced(field, rows, turned),
            None if stop is None or stopped is None else _replaced(stop, rows, stopped),
        )

    def suited(self, deconvolver: Deconvolver) -> list[tuple[Tensor, Deconvolver]]:
        """Rows of images that are blurred (m,), and what undoes the blur of these as it is asked for.

        Args:
            deconvolver: Any.

        Returns:
            Up to two pairs: blurred light, and blurred values.
        """
        values = torch.zeros_like(self.blurred) if self.of_values is None else self.of_values
        pairs = []
        for rows, fits in ((self.blurred & ~values, deconvolver), (self.blurred & values, deconvolver.of_values())):
            index = rows.nonzero().squeeze(1)
            if len(index):
                error = None if self.error_px is None else self.error_px[index]
                pairs.append((index, fits.allowing(error)))
        return pairs


def by_kernel(
    psf: Tensor,
    blurred: Tensor,
    sigma: Tensor | None = None,
    label: KindEstimate | None = None,
    error_px: Tensor | None = None,
    of_values: Tensor | None = None,
) -> BlurEstimate:
    """The estimate of one kernel an image (B, 1, k, k) and of whether there is anything to undo (B,)."""
    return BlurEstimate(Convolution(psf, BOUNDARY), blurred, sigma, label, error_px, of_values)


def by_parameters(
    family: BlurFamily, params: Tensor, kind: Tensor, sigma: Tensor | None = None, label: KindEstimate | None = None
) -> BlurEstimate:
    """The estimate of a family's blur with these parameters (B, P) of these kinds (B,)."""
    return by_kernel(family.psf(params, kind), family.changes(params, kind), sigma, label)


def nothing_found(family: BlurFamily, y: Tensor) -> BlurEstimate:
    """The estimate from images (B, C, H, W) that tell nothing: no blur, and unknown noise."""
    psf = identity_psf(len(y), family.size, device=y.device)
    unknown = torch.full((len(y),), torch.nan, device=y.device)
    return by_kernel(psf, torch.zeros(len(y), dtype=torch.bool, device=y.device), unknown)


def no_kind_found(family: BlurFamily, y: Tensor) -> KindEstimate:
    """The label of images (B, C, H, W) that tell nothing: every kind as likely, no parameter."""
    count, kinds = len(y), len(family.kinds)
    zero = torch.zeros(count, device=y.device)
    params = torch.full((count, len(family.names)), torch.nan, device=y.device)
    return KindEstimate(
        kind=torch.zeros(count, dtype=torch.long, device=y.device),
        probability=torch.full((count, kinds), 1 / kinds, device=y.device),
        strength_px=zero,
        strength_map_px=zero,
        strength_mean_px=zero,
        interval_px=torch.full((count, 2), torch.nan, device=y.device),
        params=params,
        most_probable=nothing_found(family, y),
        halfwidth=params,
        beyond=torch.zeros(count, dtype=torch.bool, device=y.device),
        soft_px=torch.full((count,), torch.nan, device=y.device),
        supposed=params,
    )


def _known(
    mine: Tensor | None, theirs: Tensor | None, count: int, rows: int, shape: tuple[int, ...]
) -> tuple[Tensor | None, Tensor | None]:
    """Both, NaN in the place of the one that is None where the other is not."""
    some = mine if mine is not None else theirs
    if some is None:
        return None, None
    unknown = [some.new_full((length, *shape), torch.nan) for length in (count, rows)]
    return (unknown[0] if mine is None else mine), (unknown[1] if theirs is None else theirs)


def _replaced(mine: Tensor, rows: Tensor, theirs: Tensor) -> Tensor:
    return mine.index_copy(0, rows, theirs.to(mine))
