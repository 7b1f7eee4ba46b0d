"""A photograph looked at in several sizes: the surest answer counts, brought back to the size of the file."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from blurlab.blind import FreeForm, FreeKernelFound
from blurlab.blind.free_form import ONE_PIXEL
from blurlab.blur import Defocus, Mixture, Motion, NoBlur, Trajectory
from blurlab.pipeline import Photograph
from blurlab.pipeline.calibration import PosteriorCalibration
from blurlab.pipeline.regression import SCALE

FAMILY = Mixture({
    "none": NoBlur(),
    "defocus": Defocus([2, 6]),
    "motion": Motion([4, 12], [0, 180]),
    "shake": Trajectory(exposure=1, length_px=[10, 30], size=15),
})  # fmt: skip
SIDE = 120


class BySize(nn.Module):
    """Says of images of each size what it was told to say, whatever they show."""

    def __init__(self, identifier: Photograph, answers: dict[int, dict[str, float]]) -> None:
        super().__init__()
        self.names, self.answers = identifier.target.names, answers

    def forward(self, y: Tensor) -> Tensor:
        said = self.answers.get(y.shape[-1], {})
        return torch.tensor([said.get(name, 0.0) for name in self.names]).expand(len(y), -1)


class Corner(FreeForm):
    """Finds a diagonal of pixels in a kernel's corner, the first with this share; better than a line or not."""

    def __init__(self, share: float, wins: bool = False, of_values: bool = False, explains: bool = True) -> None:
        super().__init__()
        self.share, self.wins, self.of_values, self.explains = share, wins, of_values, explains
        self.sides: list[int] = []

    def __call__(self, y: Tensor, side: int) -> Tensor:
        self.sides.append(side)
        psf = torch.zeros(1, 1, side, side)
        psf[0, 0, range(3), range(3)] = torch.tensor([self.share, *[(1 - self.share) / 2] * 2])
        return psf

    def trusted(self, y: Tensor, side: int) -> FreeKernelFound:
        psf = self(y, side)
        return FreeKernelFound(psf, float(psf.amax()) < ONE_PIXEL, self.of_values)

    def against(self, y: Tensor, psf: Tensor, side: int) -> FreeKernelFound | None:
        return self.trusted(y, side) if self.wins else None

    def judged(self, y: Tensor, psf: Tensor, most: float = 2.0) -> FreeKernelFound:
        return FreeKernelFound(psf, self.explains, self.of_values)


def identified(answers: dict[int, dict[str, float]], y: Tensor | None = None, **options: object):  # type: ignore[no-untyped-def]
    identifier = Photograph(FAMILY, **{"least_px": 30, "least_small_px": 30, **options})  # type: ignore[arg-type]
    count = len(FAMILY.names)
    scale = PosteriorCalibration(torch.ones(count), torch.ones(count))
    nets = {"blur": BySize(identifier, answers), SCALE: scale}
    return identifier.identify(squares(2, SIDE) if y is None else y, nets, {})


def squares(count: int, rows: int) -> Tensor:
    """Images (n, 1, rows, SIDE) of squares of 8 px, which have edges both ways."""
    coarse = torch.rand(count, 1, 15, 15, generator=torch.Generator().manual_seed(0))
    return coarse.repeat_interleave(8, -1).repeat_interleave(8, -2)[..., :rows, :]


def test_the_surest_size_counts_and_lengths_are_those_of_the_file() -> None:
    half = {"motion": 5.0, "motion.length_px": 0.0, "motion.angle_deg cos": 1.0, "motion.length_px log spread": -2.0}
    found = identified({SIDE: {"defocus": 2.0}, SIDE // 2: half})
    label = found.label
    assert label.kind.tolist() == [2, 2]
    length, angle = label.params[0, FAMILY.names.index("motion.length_px")], label.params[0, 2]
    assert float(length) == pytest.approx(16) and float(angle) == pytest.approx(0)
    assert label.halfwidth[0, 1] == pytest.approx(2 * 4 * math.exp(-2), rel=1e-4)
    low, high = label.interval_px[0].tolist()
    assert (low + high) / 2 == pytest.approx(16)
    # the kernel handed on is a line of the cautious length, wider than any at the network's own size
    line = found.psf[0, 0].sum(0)
    assert float(label.strength_px[0]) <= 16 and int((line > 1e-3).sum()) >= 14
    assert bool(found.blurred.all())
    torch.testing.assert_close(found.psf.sum((1, 2, 3)), torch.ones(2))


def test_a_small_copy_that_is_sharp_says_nothing_of_the_file() -> None:
    found = identified({SIDE: {"motion": 1.0, "none": 0.9}, SIDE // 2: {"none": 9.0}})
    assert not bool(found.label.can_tell.any())
    assert not bool(found.blurred.any())
    assert bool(found.label.interval_px.isnan().all())


def test_a_sharp_photograph_is_named_so() -> None:
    found = identified({SIDE: {"none": 4.0}})
    assert found.label.kind.tolist() == [0, 0] and bool(found.label.can_tell.all())
    assert not bool(found.blurred.any())


def test_copies_below_the_least_size_are_not_looked_at() -> None:
    answers = {SIDE: {"none": 1.5}, SIDE // 4: {"motion": 9.0}}
    assert identified(answers).label.kind.tolist() == [2, 2]
    identifier_sees_less = identified(answers, squares(1, SIDE - 4))
    assert not bool(identifier_sees_less.label.can_tell.any())
    sharp = {SIDE: {"none": 4.0}, SIDE // 3: {"motion": 9.0}}
    assert identified(sharp).label.kind.tolist() == [2, 2]
    assert identified(sharp, least_small_px=SIDE // 3 + 1).label.kind.tolist() == [0, 0]


def test_a_photograph_is_not_sharp_whose_half_is_blurred() -> None:
    half = {"motion": 3.0, "none": 0.5}  # less sure than the whole is, and sure that something is blurred
    assert identified({SIDE: {"none": 6.0}, SIDE // 2: half}).label.kind.tolist() == [0, 0]
    denied = half | {"none": -3.0}
    assert identified({SIDE: {"none": 3.5}, SIDE // 2: denied}).label.kind.tolist() == [2, 2]
    both_sure = identified({SIDE: {"none": 6.0}, SIDE // 2: denied}, free_form=Corner(1 / 3))
    assert not bool(both_sure.label.can_tell.any()) and not bool(both_sure.blurred.any())
    unsure = {"motion": 3.0, "defocus": 3.0, "shake": 3.0, "none": -3.0}
    assert not bool(identified({SIDE: {"none": 6.0}, SIDE // 2: unsure}).label.can_tell.any())


@pytest.mark.parametrize(
    ("small", "is_open"),
    [
        ({"defocus.radius_px": 1.0}, True),  # at the end of its range in the smallest copy as well
        ({"defocus.radius_px": 0.5, "defocus.radius_px log spread": -1.0}, True),  # only its interval reaches there
        ({"defocus.radius_px": 0.5, "defocus.radius_px log spread": -4.0}, False),
    ],
)
def test_a_blur_at_the_end_of_what_can_be_measured_may_be_wider(small: dict[str, float], is_open: bool) -> None:
    """Its interval has no upper end, and the smallest copy gives the lower one."""
    end = {"defocus": 9.0, "defocus.radius_px": 1.0, "defocus.radius_px log spread": -4.0}
    label = identified({SIDE: end, SIDE // 2: end, SIDE // 3: end, SIDE // 4: end | small}).label
    radius = 4 * (4 + 2 * small["defocus.radius_px"])
    assert float(label.params[0, 0]) == pytest.approx(radius)
    low, high = label.interval_px[0].tolist()
    assert bool(label.beyond.all()) is is_open and math.isinf(high) is is_open
    half = 4 * 2 * math.exp(small.get("defocus.radius_px log spread", -4.0))
    assert low == pytest.approx(2 * (radius - half), rel=1e-4)


def test_a_shake_is_estimated_pixel_by_pixel_or_left() -> None:
    shake = {SIDE: {"shake": 6.0}}
    left = identified(shake)
    assert left.label.kind.tolist() == [3, 3] and not bool(left.blurred.any())
    corner = Corner(1 / 3)
    found = identified(shake, free_form=corner)
    assert corner.sides == [15, 15]  # of 20 px, 0.75 and odd
    assert bool(found.blurred.all())
    middle = found.psf.shape[-1] // 2
    diagonal = found.psf[0, 0].diagonal()[middle - 1 : middle + 2]  # its centre of mass in the middle
    torch.testing.assert_close(diagonal, torch.full((3,), 1 / 3))
    assert not bool(identified(shake, free_form=Corner(1.0)).blurred.any())  # one pixel is no blur
    assert found.of_values is not None and not bool(found.of_values.any())
    values = identified(shake, free_form=Corner(1 / 3, of_values=True)).of_values
    assert values is not None and bool(values.all())


def test_a_disk_too_wide_for_the_file_is_taken_from_its_half_where_no_shake_is_found() -> None:
    said = {SIDE: {"shake": 7.0}, SIDE // 2: {"defocus": 5.0, "defocus.radius_px log spread": -4.0}}
    disk = identified(said, free_form=Corner(1.0))  # one pixel is no shake
    assert disk.label.kind.tolist() == [1, 1] and bool(disk.blurred.all())
    assert float(disk.label.strength_map_px[0]) == pytest.approx(2 * 2 * 4, rel=0.1)  # the diameter, in the file
    assert identified(said, free_form=Corner(1 / 3)).label.kind.tolist() == [3, 3]
    unsure = {**said, SIDE // 2: {"defocus": 1.5, "defocus.radius_px log spread": -4.0}}
    assert identified(unsure, free_form=Corner(1.0)).label.kind.tolist() == [3, 3]
    line = {**said, SIDE // 2: {"motion": 5.0, "motion.length_px log spread": -4.0}}
    assert identified(line, free_form=Corner(1.0)).label.kind.tolist() == [3, 3]


def test_a_wide_shake_that_only_a_small_copy_shows_is_told_where_a_kernel_is_found() -> None:
    soft = {SIDE: {"defocus": 2.0}, SIDE // 2: {"shake": 6.0}}
    found = identified(soft, free_form=Corner(1 / 3))
    assert found.label.kind.tolist() == [3, 3] and bool(found.blurred.all())
    nothing = identified(soft, free_form=Corner(1.0))
    assert not bool(nothing.label.can_tell.any()) and not bool(nothing.blurred.any())
    line = {**soft, SIDE: {"motion": 0.3, "shake": 0.3}}  # of which the whole photograph shows something, too
    assert bool(identified(line, free_form=Corner(1.0)).label.can_tell.all())


@pytest.mark.parametrize(
    ("length", "log_spread", "told"), [(-1.0, -0.5, False), (-1.0, -1.0, True), (-0.9, -0.5, True)]
)
def test_the_weakest_blur_of_a_kind_is_told_only_where_it_is_measured(
    length: float, log_spread: float, told: bool
) -> None:
    """4 px, or hardly more, of a range from 4 to 12, and half of an interval of 2.4 or 1.5 px."""
    said = {"motion": 7.0, "motion.angle_deg cos": 1.0}
    said |= {"motion.length_px": length, "motion.length_px log spread": log_spread}
    found = identified({SIDE: said})
    assert found.label.can_tell.tolist() == [told, told]
    assert told or not bool(found.blurred.any())


def test_a_short_line_of_a_small_copy_does_not_count_where_the_whole_shows_a_shake() -> None:
    said = {"motion": 7.0, "motion.angle_deg cos": 1.0, "motion.length_px log spread": -4.0}
    short, long = said | {"motion.length_px": -0.9}, said | {"motion.length_px": 0.0}  # of the half, 4.4 and 8 px
    shake, line = {"shake": 3.0, "motion": 1.0}, {"shake": 1.0, "motion": 3.0}
    kinds = [
        identified({SIDE: whole, SIDE // 2: half}).label.kind.tolist()
        for whole, half in ((shake, short), (shake, long), (line, short))
    ]
    assert kinds == [[3, 3], [2, 2], [2, 2]]


def test_a_path_is_undone_whether_it_is_straight_or_bent() -> None:
    """Which of the two it is, its free kernel says; that it is one of them is sure."""
    either = {SIDE: {"shake": 4.0, "motion": 3.2}}
    assert bool(identified(either, free_form=Corner(1 / 3)).blurred.all())
    other = {SIDE: {"shake": 4.0, "defocus": 3.2}}
    assert not bool(identified(other, free_form=Corner(1 / 3)).blurred.any())


@pytest.mark.slow
def test_a_line_is_kept_unless_a_free_kernel_is_better() -> None:
    wide = {"motion": 6.0, "motion.length_px": 0.0, "motion.angle_deg cos": 1.0, "motion.length_px log spread": 1.0}
    sure = wide | {"motion.length_px log spread": -4.0}
    assert not bool(identified({SIDE: wide}, free_form=Corner(1 / 3)).blurred.any())  # the line's length is too unsure
    line = identified({SIDE: sure}, free_form=Corner(1 / 3))
    assert bool(line.blurred.all()) and int((line.psf[0, 0].sum(1) > 1e-3).sum()) == 1
    unexplained = identified({SIDE: sure}, free_form=Corner(1 / 3, explains=False))
    assert not bool(unexplained.blurred.any()) and not bool(unexplained.label.can_tell.any())
    bent = identified({SIDE: wide}, free_form=Corner(1 / 3, wins=True))
    assert bool(bent.blurred.all()) and int((bent.psf[0, 0].sum(1) > 1e-3).sum()) == 3


def test_what_varies_along_one_direction_shows_nothing_of_its_blur() -> None:
    stripes = (torch.arange(SIDE) // 8 % 2).float().expand(1, 1, SIDE, SIDE)
    found = identified({SIDE: {"motion": 9.0}}, stripes)
    assert not bool(found.label.can_tell.any()) and not bool(found.blurred.any())


def test_a_frame_is_not_looked_at_and_a_batch_is_its_images() -> None:
    inner = squares(2, SIDE)
    framed = torch.zeros(2, 1, SIDE + 80, SIDE + 80)
    framed[0, :, 40:-40, 40:-40] = inner[0]
    framed[1] = (
        torch.rand(1, 25, 25, generator=torch.Generator().manual_seed(1))
        .repeat_interleave(8, -1)
        .repeat_interleave(8, -2)
    )
    answers = {SIDE - 16: {"motion": 4.0}, SIDE + 80: {"none": 4.0}}
    found = identified(answers, framed)
    assert found.label.kind.tolist() == [2, 0]
    for row in range(2):
        alone = identified(answers, framed[row : row + 1])
        assert torch.equal(alone.psf[0], found.psf[row]) and alone.label.kind[0] == found.label.kind[row]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": [2, 3]}, "rising from 1"),
        ({"scales": [1, 3, 2]}, "rising from 1"),
        ({"least_probability": 1.5}, "least_probability"),
        ({"least_px": 0}, "least_px"),
        ({"least_small_px": 0}, "least_small_px"),
    ],
)
def test_options_are_checked(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Photograph(FAMILY, **options)  # type: ignore[arg-type]


def test_a_family_without_none_is_refused() -> None:
    with pytest.raises(ValueError, match="must be none"):
        Photograph(Mixture({"defocus": Defocus([2, 6]), "motion": Motion([4, 12], 0)}))
