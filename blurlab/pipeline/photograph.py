"""The blur of a photograph as a camera left it: looked at in several sizes, and named only where that is safe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from blurlab.blind import FreeForm
from blurlab.blur import BlurFamily, pad_to_odd
from blurlab.likelihood import Refiner, has_one_direction
from blurlab.physics.field_stop import field
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.content import picture, repeats, smaller, square_within
from blurlab.pipeline.copies import straightened, unmeasured, which_copy, without_end
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate, by_kernel
from blurlab.pipeline.fitted_part import FittedPart
from blurlab.pipeline.free_kernels import FREE_PX, with_free_kernels, with_turns
from blurlab.pipeline.line_fit import refitted
from blurlab.pipeline.regression import Regression, described
from blurlab.pipeline.shipped import load_nets
from blurlab.pipeline.softness import is_soft, softness, unnamed, with_softness
from blurlab.pipeline.task import Task
from blurlab.pipeline.turning import motion_field, weights, windows

BACK_OFF = 0.3
"""By how much of half the 90 % interval the kernel that is undone is narrower than the estimate."""
LEAST_PX = 64
"""Side of the smallest image of which it is asked whether it shows its blur at all."""
EXACT_PX = 0.22
"""How far a kernel is out of place at least."""
UNSURE = 0.25
"""A kernel is out of place by this share of half the 90 % interval of its strength [px / px]."""
BENT = 2.0
"""Side of the free kernel that a straight line is compared with, in lengths of the line."""
SEEN = 0.3
"""A path of which no kernel is found, and which a smaller copy shows, is told if the largest shows one so probably."""
Nets = Mapping[str, nn.Module]
"""Networks by the names of their tasks."""


class Photograph(Regression):
    """:class:`Regression` asked at several sizes of a photograph; the surest answer names the kind.

    A camera's sharpening and compression touch the finest details most. In a copy of half the size or less they are
    gone, and a blur too wide for the network's ranges is within them. Parameters, intervals and kernels are brought
    back to the size of the file. Where no answer is sure enough, the kernel that is named explains too little, or the
    image varies along one direction alone or repeats itself, nothing is told: every kind is as likely, nothing is
    undone. A frame is not looked at (:func:`~blurlab.pipeline.content.picture`), nor, with ``stops``, the rim of the
    round field of an eye (:func:`~blurlab.pipeline.content.square_within`).

    A blur that no parameters describe, as the shake of a hand, is estimated pixel by pixel by ``free_form``. Where a
    photograph is soft and it is not sure in which way, a narrow Gaussian is undone.

    Args:
        family: A mixture, one of whose kinds is ``none``.
        scales: By how much the sides of each copy are divided, rising from 1.
        least_px: Smallest side of a copy of half the size that is looked at.
        least_small_px: That of a copy of a third or less: in smaller ones vessels are double lines, and nuclei disks.
        least_probability: Of the kind; below it nothing is told.
        undo_probability: Of the kind; below it the blur is named and the photograph left as it is.
        free_probability: The same of a kind that no parameters describe, whose kernel is the least sure of all.
        widest: Half the 90 % interval of the strength as a share of it; above it, too, nothing is undone.
        stops: Is the round field of an eye looked for? Its rim is then not looked at, and left as it is.
        free_form: Estimates the kernel of a kind that no parameters describe; None leaves such photographs as they are.
        bent: Kinds whose kernel is compared with a free-form one, where ``free_form`` is given: hands move in no line.
        soft: Kinds that take away detail alike in all directions: where one of them is sure, but not which or how
            strong, a Gaussian is undone that is hardly too wide; empty leaves such photographs as they are.
        free_share: Side of a free-form kernel as a share of the length that the network says, [px / px].
        head: Makes the network from its number of outputs, where ``weights`` are given.
        weights: A file of the package's ``pipeline/weights`` by its name, or another's path; None: a run trains it.
        refine: As in :class:`Regression`.
        weak_share: As in :class:`Regression`.
        class_share: As in :class:`Regression`.

    Raises:
        FileNotFoundError: If there is no such file of weights.
        ValueError: If an option is out of its range, the family has no kind ``none``, or the weights do not fit.
    """

    def __init__(
        self,
        family: BlurFamily,
        *,
        scales: Sequence[int] = (1, 2, 3, 4),
        least_px: int = 96,
        least_small_px: int = 200,
        least_probability: float = 0.6,
        undo_probability: float = 0.8,
        free_probability: float = 0.86,
        widest: float = 0.3,
        stops: bool = False,
        free_form: FreeForm | None = None,
        bent: Sequence[str] = ("motion",),
        soft: Sequence[str] = ("gaussian", "defocus"),
        free_share: float = 0.75,
        head: Callable[..., nn.Module] | None = None,
        weights: str | None = None,
        refine: Callable[[BlurFamily], Refiner] | None = None,
        weak_share: float = 0.0,
        class_share: float = 1 / 9,
    ) -> None:
        super().__init__(family, refine=refine, weak_share=weak_share, class_share=class_share)
        if not scales or scales[0] != 1 or list(scales) != sorted({*scales}):
            raise ValueError(f"scales must be whole numbers rising from 1, got {list(scales)}; use [1, 2, 3, 4]")
        if not 0 <= least_probability <= 1 or min(least_px, least_small_px) < 1:
            raise ValueError(
                "least_probability must be in [0, 1], least_px and least_small_px 1 or more, got "
                f"{least_probability}, {least_px}, {least_small_px}"
            )
        if "none" not in self.family.kinds:
            raise ValueError("one kind must be none: not every photograph is blurred; use blur=camera_kinds")
        self.scales = tuple(scales)
        self.least_px = least_px
        self.least_small_px = least_small_px
        self.least_probability = least_probability
        self.undo_probability = undo_probability
        self.free_probability = free_probability
        self.widest = widest
        self.stops = stops
        self.free_form = free_form
        self.bent = tuple(bent)
        self.soft = tuple(soft)
        self.free_share = free_share
        self.own = None if weights is None else self._loaded(weights, head)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return super().tasks if self.own is None else ()

    @property
    def fitted_parts(self) -> tuple[FittedPart, ...]:
        return super().fitted_parts if self.own is None else ()

    def _loaded(self, weights: str, head: Callable[..., nn.Module] | None) -> dict[str, nn.Module]:
        if head is None:
            raise ValueError(f"weights={weights} are a network's; give the head that they are of")
        (task,), (part,) = super().tasks, super().fitted_parts
        state = load_nets(weights, (task.name, part.name))
        net = head(num_classes=len(task.target))
        try:
            net.load_state_dict(state[task.name])
            return {task.name: net.eval(), part.name: part.restore(state[part.name])}
        except (KeyError, RuntimeError) as error:
            said = " ".join(str(error).split())[:200]
            raise ValueError(f"{weights} holds another network; choose the options of its card ({said})") from error

    def identify(self, y: Tensor, nets: Nets, risks: Mapping[str, RiskTable]) -> BlurEstimate:
        if self.own is not None:
            nets = {name: net.to(y.device) for name, net in self.own.items()}
        size = 2 * (self.family.size * self._scales(y)[-1] // 2) + 1
        found, circles = self._nothing(y, size), [field(one) if self.stops else None for one in y]
        inner = [None if circle is None else square_within(circle, y.shape[-2:]) for circle in circles]
        places = [square or picture(one) for square, one in zip(inner, y, strict=True)]
        for place in sorted({*places}):
            rows = torch.tensor([row for row, one in enumerate(places) if one == place], device=y.device)
            top, bottom, left, right = place
            shown = (y if len(rows) == len(y) else y[rows])[..., top:bottom, left:right]
            found = found.with_rows(rows, self._of_pictures(shown, size, nets, risks))
        stop = torch.tensor([circle or (torch.nan,) * 3 for circle in circles], device=y.device)
        return replace(found, stop=stop)

    def _scales(self, y: Tensor) -> list[int]:
        """By how much the sides of each copy of these images are divided."""
        side, least = min(y.shape[-2:]), {1: 1, 2: self.least_px}
        return [scale for scale in self.scales if side >= scale * least.get(scale, self.least_small_px)]

    def _of_pictures(self, y: Tensor, size: int, nets: Nets, risks: Mapping[str, RiskTable]) -> BlurEstimate:
        """What pictures (B, C, H, W) without a frame show, with kernels of this size."""
        scales = self._scales(y)
        seen = [super(Photograph, self).identify(smaller(y, scale), nets, risks) for scale in scales]
        short = straightened(self.family, seen, scales, self.bent, self.hidden)
        weak = torch.stack([unmeasured(self.family, _label(one)) for one in seen])
        place, beyond = which_copy(self.family, seen, self.least_probability, left_out=short | weak)
        soft = is_soft(self.family, _label(seen[0]), self.soft, self.undo_probability)
        place = torch.where((place < 0) & soft, 0, place)
        if min(y.shape[-2:]) >= LEAST_PX:
            place = torch.where(has_one_direction(smaller(y, 1)) | repeats(y), -1, place)
        found = self._of_copies(y, seen, place, beyond, size, nets)
        # A disk wider than the ranges looks like a shake, of which then no kernel is found. A line is too like a shake.
        refuted, first = self._is_hidden(_label(found).kind) & ~found.blurred & (place >= 0), place
        but = [kind for kind in self.family.kinds if kind not in self.soft]
        place, beyond = which_copy(self.family, seen, self.undo_probability, but)
        other = self._of_copies(y, seen, torch.where(refuted, place, -1), beyond, size, nets)
        rows = other.blurred.nonzero().squeeze(1)
        found = found.with_rows(rows, other.take(rows)) if len(rows) else found
        # Texture of a photograph that is a little soft looks like a wide shake in a small copy, and nowhere else.
        doubted = refuted & ~other.blurred & (first > 0) & (self._share(_label(seen[0]), self.lines) < SEEN)
        rows = doubted.nonzero().squeeze(1)
        return found.with_rows(rows, self._nothing(y[rows], size)) if len(rows) else found

    def _of_copies(
        self, y: Tensor, seen: Sequence[BlurEstimate], place: Tensor, beyond: Tensor, size: int, nets: Nets
    ) -> BlurEstimate:
        """What the copies at these places (B,) say of pictures (B, C, H, W), -1 for none of them."""
        found = self._nothing(y, size)
        for index, (scale, one) in enumerate(zip(self._scales(y), seen, strict=True)):
            rows = (place == index).nonzero().squeeze(1)
            if len(rows):
                some = y if len(rows) == len(y) else y[rows]
                here = one.take(rows)
                label = replace(_label(here), beyond=beyond[rows])
                field = self._field(some, scale, label, nets)
                here = replace(here, label=label, field=field)
                whole = self._at_file_size(here, scale, size, some)
                label = unnamed(self.family.with_size(size), _label(whole), some, self.least_probability)
                found = found.with_rows(rows, replace(whole, label=label))
        return found

    def _nothing(self, y: Tensor, size: int) -> BlurEstimate:
        """The estimate from images of which nothing is told, its kernels of this size."""
        nothing = self.uninformed(y)
        unknown = nothing.psf.new_full((len(y),), torch.nan) if self.refiners else None
        assert nothing.label is not None
        likeliest = by_kernel(pad_to_odd(nothing.psf, size), nothing.blurred)
        label = replace(nothing.label, most_probable=likeliest)
        error = torch.full((len(y),), EXACT_PX, device=y.device)
        return by_kernel(pad_to_odd(nothing.psf, size), nothing.blurred, unknown, label, error)

    def _field(self, y: Tensor, scale: int, label: KindEstimate, nets: Nets) -> Tensor:
        """How a motion that would be undone changes over photographs (B, C, H, W): (B, 3, 2), NaN where it does not."""
        field = y.new_full((len(y), 3, 2), torch.nan)
        for row in self._worth_undoing(label)[0].nonzero().flatten().tolist():
            kind = int(label.kind[row])
            seen = windows(y[row : row + 1], scale) if self.family.kinds[kind] in self.bent else None
            if seen is None or min(seen[0].shape[-2:]) < LEAST_PX * scale:
                continue
            said, columns = self.read(smaller(seen[0], scale), nets), self.family.columns(kind)
            (length, angle), (wide, turned) = (one[:, columns].unbind(1) for one in (said.params, said.spread))
            found = motion_field(length, angle, weights(said.logits.softmax(1)[:, kind], length, wide, turned), seen[1])
            if found is not None:
                field[row] = found
        return field

    def _at_file_size(self, found: BlurEstimate, scale: int, size: int, y: Tensor) -> BlurEstimate:
        """What was found in a copy, said of the file y (B, C, H, W), with kernels of this size.

        A strength that may be ``beyond`` what is measured has no upper end. It is undone as far as it is sure: that
        gains, too.
        """
        label, family = _label(found), self.family.with_size(size)
        assert label.beyond is not None and found.field is not None
        params = family.scaled(label.params, scale)
        halfwidth, supposed = (
            None if one is None else family.scaled(one, scale) for one in (label.halfwidth, label.supposed)
        )
        before = None if label.before is None else (label.before[0], family.scaled(label.before[1], scale))
        sure, narrow, careful = self._worth_undoing(label)
        half, found_px = scale * _half(label), label.strength_map_px
        likeliest = described(family, params, label.kind)
        label = replace(
            label,
            strength_px=careful * scale,
            strength_map_px=label.strength_map_px * scale,
            strength_mean_px=label.strength_mean_px * scale,
            interval_px=without_end(label.interval_px * scale, label.beyond),
            params=params,
            halfwidth=halfwidth,
            before=before,
            most_probable=likeliest,
            supposed=supposed,
        )
        unsure = is_soft(family, label, self.soft, self.undo_probability) & ~(sure & narrow)
        soft_px = softness(family, label, unsure, self.soft)
        label, soft = replace(label, soft_px=soft_px), soft_px.isfinite()
        used = family.with_strength(params, label.strength_px, label.kind)
        share = careful / found_px.clamp_min(1e-6)
        named = replace(
            with_softness(described(family, used, label.kind), soft_px),
            sigma=found.sigma,
            label=label,
            error_px=torch.where(half.isnan(), FREE_PX, torch.hypot(half.new_tensor(EXACT_PX), UNSURE * half)),
            field=scale * share[:, None, None] * found.field,
        )
        if self.free_form is None:
            return replace(named, blurred=named.blurred & (sure & narrow | soft))
        named = with_turns(self.free_form, named, y, sure)
        straight = torch.tensor([kind in self.bent for kind in family.kinds], device=y.device)[label.kind]
        lines = named.blurred & sure & narrow & straight & ~named.turns
        fitted = refitted(self.free_form, family, named, y, lines)
        sides_px = torch.where(straight, BENT, self.free_share) * _label(fitted).strength_px
        rows = sure | soft, self._is_hidden(label.kind), straight & ~named.turns
        undone, free, wrong = with_free_kernels(self.free_form, fitted, y, rows, sides_px)
        undone = replace(undone, blurred=undone.blurred & (sure & (narrow | free) | soft))
        index = wrong.nonzero().squeeze(1)
        return undone.with_rows(index, self._nothing(y[index], size)) if len(index) else undone

    def _worth_undoing(self, label: KindEstimate) -> tuple[Tensor, Tensor, Tensor]:
        """Is the kind sure, is its interval narrow (B,) bool; and a strength (B,) that is hardly too great.

        A kernel that is too wide costs far more than one that is too narrow.
        """
        half = _half(label)
        narrow = ~(half > self.widest * label.strength_map_px)  # one without an interval is for its probability to say
        careful = torch.where(half.isnan(), label.strength_px, label.strength_px - BACK_OFF * half)
        free = self._is_hidden(label.kind)  # whose kernel is straight or bent, as it comes
        sure = torch.where(free, self._share(label, self.lines), label.probability.amax(1))
        least = torch.where(free, self.free_probability, self.undo_probability)
        return sure >= least, narrow, careful.maximum(0.5 * label.strength_px)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Kinds that have no kernel that parameters describe."""
        member = self.family.member
        return tuple(kind for kind in self.family.kinds if any(one.is_hidden for one in member(kind).parameters))

    @property
    def lines(self) -> tuple[str, ...]:
        """Kinds that are the path of a camera, straight or bent."""
        return (*self.bent, *self.hidden)

    def _share(self, label: KindEstimate, kinds: Sequence[str]) -> Tensor:
        """Probability (B,) of any of these kinds."""
        return label.probability[:, [kind in kinds for kind in self.family.kinds]].sum(1)

    def _is_hidden(self, kind: Tensor) -> Tensor:
        """Which kinds (B,) have no kernel that parameters describe (B,) bool."""
        return torch.tensor([name in self.hidden for name in self.family.kinds], device=kind.device)[kind]


def _half(label: KindEstimate) -> Tensor:
    """Half the 90 % interval of the strength [px], (B,); NaN where there is none."""
    return (label.interval_px[:, 1] - label.interval_px[:, 0]) / 2


def _label(found: BlurEstimate) -> KindEstimate:
    assert found.label is not None
    return found.label
