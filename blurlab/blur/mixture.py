"""Several kinds of blur in one family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Self

import torch
from torch import Tensor

from blurlab.blur.base import BlurFamily, check_params, kind_rows
from blurlab.blur.shape import check_size
from blurlab.blur.strength import OneParameterStrength, StrengthFamily, strength_of
from blurlab.blur.weak import check_share


class Mixture(StrengthFamily):
    """Each item is one of several families, its label says which.

    Parameters are the members' side by side, named ``<member>.<name>``; those of the other members are NaN. All
    kernels have one size, the largest that a member needs. Whether a kind has a strength is for its member to say: that
    of one without is NaN.

    Args:
        members: Families of one kind each, by the name their kind shall have.
        weights: How often each member is drawn, in proportion, in their order; equally often if None.
        size: Side of the kernels; the largest of the members' if None.

    Raises:
        TypeError: If a member is no blur family.
        ValueError: If there is no member, one has several kinds, or the weights do not fit.

    Example:
        >>> from blurlab.blur import Defocus, Motion, NoBlur
        >>> family = Mixture({"none": NoBlur(), "defocus": Defocus([0.5, 5]), "motion": Motion([1, 10], 0)})
        >>> family.names
        ('defocus.radius_px', 'motion.length_px', 'motion.angle_deg')
        >>> family.at_strength(torch.tensor([4.0, 7.0]), torch.tensor([1, 2]))
        tensor([[2., nan, nan],
                [nan, 7., 0.]])
    """

    def __init__(
        self,
        members: Mapping[str, BlurFamily],
        weights: Sequence[float] | None = None,
        size: int | None = None,
    ) -> None:
        _check_members(members)
        self.kinds = tuple(members)
        self.parameters = tuple(
            replace(one, name=f"{kind}.{one.name}") for kind, member in members.items() for one in member.parameters
        )
        self.symmetric = all(member.symmetric for member in members.values())
        self.has_zeros = any(member.has_zeros for member in members.values())
        self.weights = _shares(weights, self.kinds)
        self.size = max(member.size for member in members.values()) if size is None else size
        check_size(self.size)
        self._members = {kind: member.with_size(self.size) for kind, member in members.items()}
        ends = [0, *accumulate(len(member.names) for member in members.values())]
        self._columns = [slice(first, last) for first, last in pairwise(ends)]

    def member(self, kind: str | int) -> BlurFamily:
        """The family of a kind, by its name or index, with the mixture's kernel size.

        Raises:
            ValueError: If there is no such kind.
        """
        name = self.kinds[kind] if isinstance(kind, int) and 0 <= kind < len(self.kinds) else kind
        if name not in self._members:
            raise ValueError(f"no kind {kind!r} in this mixture; it has {', '.join(self.kinds)}")
        return self._members[str(name)]

    def columns(self, kind: int) -> slice:
        """Where the parameters of a kind stand among the mixture's."""
        return self._columns[kind]

    def extent_px(self, *largest: float) -> float:
        members = zip(self._members.values(), self._columns, strict=True)
        return max(member.extent_px(*largest[columns]) for member, columns in members)

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        steps = torch.tensor(self.weights, device=generator.device).cumsum(0)[:-1]
        kind = torch.bucketize(torch.rand(n, generator=generator, device=generator.device), steps, right=True)
        blocks = []
        for index, member in enumerate(self._members.values()):
            params = member.draw(n, generator=generator)[1]  # drawn for every row: the stream does not depend on kinds
            blocks.append(torch.where((kind == index)[:, None], params, torch.nan))
        return kind, torch.cat(blocks, dim=1)

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """Kernels (n, 1, k, k), each member evaluated on its rows; ``kind`` None reads the kinds off the NaNs.

        Raises:
            TypeError: If ``params`` is not a floating-point tensor.
            ValueError: If shapes, kinds or values do not fit.
        """
        psf = params.new_zeros(len(params), 1, self.size, self.size)
        for (member, columns), rows in self._parts(params, kind):
            psf = psf.index_copy(0, rows, member.psf(params[rows][:, columns]))
        return psf

    def strength_px(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        strength = params.new_zeros(len(params))
        for (member, columns), rows in self._parts(params, kind):
            strength = strength.index_copy(0, rows, strength_of(member, params[rows][:, columns]))
        return strength

    def importance(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        weight = params.new_ones(len(params))
        for (member, columns), rows in self._parts(params, kind):
            weight = weight.index_copy(0, rows, member.importance(params[rows][:, columns]))
        return weight

    def changes(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        changed = torch.zeros(len(params), dtype=torch.bool, device=params.device)
        for (member, columns), rows in self._parts(params, kind):
            changed = changed.index_copy(0, rows, member.changes(params[rows][:, columns]))
        return changed

    def within(self, params: Tensor) -> Tensor:
        return self._by_member(params, lambda member, own: member.within(own))

    def measurable(self, params: Tensor) -> Tensor:
        return self._by_member(params, lambda member, own: member.measurable(own))

    def _by_member(self, params: Tensor, of: Callable[[BlurFamily, Tensor], Tensor]) -> Tensor:
        """What each member says of its own columns (n, P), whatever the rows' kinds."""
        check_params(params, self.names)
        members = zip(self._members.values(), self._columns, strict=True)
        return torch.cat([of(member, params[:, columns]) for member, columns in members], dim=1)

    def at_strength(self, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """Parameters (n, P) of that kind (n,) at this strength (n,), the others at the middle of their range.

        Raises:
            ValueError: If a row is of a kind without a strength.
        """
        params = strength_px.new_full((len(strength_px), len(self.names)), torch.nan)
        rows = kind_rows(kind, len(strength_px), len(self.kinds), strength_px.device)
        for index, (member, columns) in enumerate(zip(self._members.values(), self._columns, strict=True)):
            here = (rows == index).nonzero().squeeze(1)
            if isinstance(member, StrengthFamily):
                params[here, columns] = member.at_strength(strength_px[here])
            elif len(here):
                raise ValueError(f"{self.kinds[index]} has no strength; give its parameters")
        return params

    def with_strength(self, params: Tensor, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """These parameters (n, P) of that kind (n,) at another strength (n,); as they are where the kind has none."""
        changed = params.clone()
        rows = kind_rows(kind, len(params), len(self.kinds), params.device)
        for index, (member, columns) in enumerate(zip(self._members.values(), self._columns, strict=True)):
            here = (rows == index).nonzero().squeeze(1)
            if isinstance(member, StrengthFamily):
                changed[here, columns] = member.with_strength(params[here][:, columns], strength_px[here])
        return changed

    def with_size(self, size: int) -> Self:
        return type(self)(self._members, self.weights, size)

    def with_weak_share(self, share: float) -> Self:
        """The same mixture with weak blurs drawn more often, of the kinds whose strength is one of their parameters.

        Args:
            share: Share of the strengths drawn from the weakest tenth of the range alone, in [0, 1).

        Raises:
            ValueError: If the share is not in [0, 1).
        """
        check_share(share)
        members = {
            kind: member.with_weak_share(share) if isinstance(member, OneParameterStrength) else member
            for kind, member in self._members.items()
        }
        return type(self)(members, self.weights, self.size)

    def _parts(self, params: Tensor, kind: Tensor | int | None) -> list[tuple[tuple[BlurFamily, slice], Tensor]]:
        """Each member with its columns and the indices of its rows, members without rows left out."""
        check_params(params, self.names)
        if kind is None:
            kind = self._kind_of(params)
        kinds = kind_rows(kind, len(params), len(self.kinds), params.device)
        members = zip(self._members.values(), self._columns, strict=True)
        parts = [(part, (kinds == index).nonzero().squeeze(1)) for index, part in enumerate(members)]
        return [(part, rows) for part, rows in parts if len(rows)]

    def _kind_of(self, params: Tensor) -> Tensor:
        """The one kind whose parameters are all given (n,), the others' all NaN."""
        given = ~params.isnan()
        held = torch.zeros_like(given)
        kind = torch.full((len(params),), -1, device=params.device)
        for index, columns in enumerate(self._columns):
            own = held.clone()
            own[:, columns] = True
            kind = torch.where((given == own).all(1), index, kind)
        if bool((kind < 0).any()):
            raise ValueError("params name no single kind: give kind, or NaN in the columns of all other kinds")
        return kind


def _check_members(members: Mapping[str, BlurFamily]) -> None:
    if not members:
        raise ValueError("a mixture needs one member or more, got none")
    for name, member in members.items():
        if not isinstance(member, BlurFamily):
            raise TypeError(f"member {name!r} must be a blur family, got {type(member).__name__}")
        if len(member.kinds) != 1:
            raise ValueError(
                f"member {name!r} has the kinds {', '.join(member.kinds)}; a member has one, so give them apart"
            )
        if member.varies:
            raise ValueError(
                f"member {name!r} varies over the image, and a mixture has one kernel an image; use it alone, with"
                " pipeline=known"
            )


def _shares(weights: Sequence[float] | None, kinds: tuple[str, ...]) -> tuple[float, ...]:
    """Weights that sum to 1."""
    given = [1.0] * len(kinds) if weights is None else [float(weight) for weight in weights]
    total = sum(given)
    if len(given) != len(kinds) or not all(weight >= 0 for weight in given) or not 0 < total < float("inf"):
        raise ValueError(f"weights must be {len(kinds)} numbers >= 0, one each for {', '.join(kinds)}, got {given}")
    return tuple(weight / total for weight in given)
