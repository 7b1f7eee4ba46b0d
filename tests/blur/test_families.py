"""Families: ranges, sizes, labels, strengths, mixtures, and the errors they give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

import blurlab.blur as blur
from blurlab.blur import (
    AnisotropicGaussian,
    Box,
    Defocus,
    Gaussian,
    Mixture,
    Motion,
    NoBlur,
    Taps,
    centre_crop,
    centroid,
    disk_psf,
    motion_psf,
    pad_to_odd,
    taps_psf,
)

CONF = Path(__file__).parents[2] / "conf" / "blur"


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def hier() -> Mixture:
    return Mixture({"none": NoBlur(), "defocus": Defocus([0.5, 5]), "motion": Motion([1, 10], [0, 0])})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Defocus([5, 1]), r"radius_px must be \[low, high\] with finite low <= high, got \[5, 1\]"),
        (lambda: Defocus([-1, 1]), "radius_px must not be negative"),
        (lambda: Gaussian([0, float("nan")]), "sigma_px must be .* finite"),
        (lambda: Box(float("inf")), "width_px must be .* finite"),
        (lambda: Motion([1, 10], size=8), "size must be odd and >= 1, got 8"),
        (lambda: Motion([1, 10], size=9), "needs a size of 11, got 9"),
        (lambda: Taps([]), "taps must be one or more"),
        (lambda: Taps([0]), "taps must be one or more numbers >= 2"),
        (lambda: Taps([1, 4]), "1 tap is no blur"),
        (lambda: Mixture({}), "one member or more"),
        (lambda: Mixture({"a": Taps(4)}), "has the kinds none, taps"),
        (lambda: Mixture({"a": NoBlur()}, weights=[1, 2]), "weights must be 1 numbers"),
        (lambda: Mixture({"a": NoBlur(), "b": Box(3)}, weights=[1, -1]), "weights must be 2 numbers >= 0"),
        (lambda: Mixture({"a": Box(9)}, size=3), "needs a size of 9"),
        (lambda: hier().member("box"), "no kind 'box' in this mixture; it has none, defocus, motion"),
        (lambda: disk_psf(torch.tensor([-1.0]), 3), "radius_px must not be negative, got -1"),
        (lambda: disk_psf(torch.tensor([float("nan")]), 3), "radius_px must be finite"),
        (lambda: disk_psf(torch.tensor([5.0]), 9), "10 pixels wide does not fit a 9x9 kernel"),
        (lambda: disk_psf(torch.tensor([1.0]), 4), "size must be odd"),
        (lambda: motion_psf(torch.ones(2), torch.ones(3), 5), r"angle_deg must be \(n,\)"),
        (lambda: taps_psf(torch.tensor([2.5]), 5), "whole numbers"),
        (lambda: Defocus(2).psf(torch.ones(3)), r"params must be \(n, 1\) for \(radius_px\), got \(3,\)"),
        (lambda: hier().psf(torch.ones(2, 3), 1.0), "kind"),
        (lambda: hier().psf(torch.ones(2, 3), 3), "kind must lie in 0..2"),
        (lambda: hier().psf(torch.ones(2, 3)), "name no single kind"),
        (lambda: pad_to_odd(torch.ones(1, 1, 5, 5), 3), "cannot pad a 5x5 psf to 3x3"),
        (lambda: centre_crop(torch.ones(1, 1, 5, 5), 7), "cannot crop a 5x5 psf to 7x7"),
    ],
)
def test_bad_input_is_named_in_one_line(make: Callable[[], object], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message) as error:
        make()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Defocus("1"),
        lambda: Defocus([1, 2, 3]),
        lambda: Defocus([True, 2]),
        lambda: Defocus(2, size=5.0),
        lambda: Taps(2.5),
        lambda: Taps([4.5]),
        lambda: disk_psf(torch.tensor([1]), 3),
        lambda: Defocus(2).psf(torch.ones(1, 1, dtype=torch.long)),
        lambda: Mixture({"a": "b"}),
    ],
)
def test_wrong_types_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize(
    ("family", "size"),
    [
        (NoBlur(), 1),
        (Defocus(0.5), 1),
        (Defocus([0.5, 5]), 11),
        (Defocus(5.51), 13),
        (Motion([1, 10]), 11),
        (Motion([1, 11]), 11),
        (Box(3), 3),
        (Gaussian(1.0), 9),
        (AnisotropicGaussian(1.0, 2.0), 17),
        (Taps(20), 21),
        (Taps([4, 6, 8, 10]), 11),
    ],
)
def test_default_size_is_the_smallest_that_holds_the_largest(family: blur.BlurFamily, size: int) -> None:
    assert family.size == size
    assert family.sample(5, generator=seeded()).psf.shape == (5, 1, size, size)


def test_draws_are_uniform_over_their_range() -> None:
    params = Motion([2, 10], [30, 90]).draw(4000, generator=seeded())[1]
    assert params[:, 0].mean().item() == pytest.approx(6, abs=0.15)
    assert params[:, 1].std().item() == pytest.approx(60 / 12**0.5, abs=0.6)


@pytest.mark.parametrize(
    ("family", "params", "strength"),
    [
        (Motion(), [[4.0, 30.0]], 4.0),
        (Defocus(), [[2.0]], 4.0),
        (Gaussian(), [[1.5]], 1.5),
        (Box(), [[3.0]], 3.0),
        (AnisotropicGaussian(), [[2.0, 0.5, 10.0]], 1.0),
    ],
)
def test_strength_is_that_of_the_paper(family: blur.BlurFamily, params: list[list[float]], strength: float) -> None:
    assert family.strength_px(torch.tensor(params)).item() == pytest.approx(strength)


def test_taps_draw_each_class_equally_often_and_none_has_no_taps() -> None:
    family = Taps([4, 6, 8, 10])
    sample = family.sample(5000, generator=seeded())
    strength = family.strength_px(sample.params, sample.kind)
    assert torch.equal(strength == 0, sample.kind == 0) and torch.equal(sample.params[:, 0].isnan(), sample.kind == 0)
    for taps in (0, 4, 6, 8, 10):
        assert (strength == taps).float().mean().item() == pytest.approx(0.2, abs=0.02)
    assert torch.equal(family.psf(sample.params), sample.psf)
    assert (sample.psf[sample.kind == 0][:, 0, 5, 5] == 1).all()


def test_taps_at_a_strength() -> None:
    family = Taps(20)
    params = family.at_strength(torch.tensor([20.0, 7.4, 0.0, 5.0]), torch.tensor([1, 1, 1, 0]))
    assert params[:, 0].tolist()[:3] == [20.0, 7.0, 1.0] and params[3].isnan()
    assert family.psf(params, torch.tensor([1, 1, 1, 0]))[2:, 0, 10, 10].tolist() == [1.0, 1.0]


def test_mixture_gives_each_row_its_members_kernel() -> None:
    family = hier()
    sample = family.sample(200, generator=seeded())
    assert family.size == 11 and sample.kind.bincount().min() > 40
    for index, name in enumerate(family.kinds):
        rows = sample.kind == index
        own = [column for column, label in enumerate(family.names) if label.startswith(f"{name}.")]
        others = [column for column in range(3) if column not in own]
        params = sample.params[rows]
        assert torch.equal(sample.psf[rows], family.member(name).psf(params[:, own]))
        assert params[:, own].isfinite().all() and params[:, others].isnan().all()
        assert family.member(index) is family.member(name)
    assert torch.equal(family.psf(sample.params), sample.psf)


def test_mixture_strength_and_gradient_know_no_nan() -> None:
    family = hier()
    kind = torch.tensor([0, 1, 2])
    params = family.at_strength(torch.tensor([0.0, 7.0, 7.0]), kind)
    assert family.strength_px(params, kind).tolist() == [0.0, 7.0, 7.0]
    assert params[1, 0] == 3.5 and params[2].tolist()[1:] == [7.0, 0.0]
    params.requires_grad_()
    (gradient,) = torch.autograd.grad((family.psf(params, kind) ** 2).sum(), params)
    assert torch.isfinite(gradient).all() and gradient[1, 0] < 0 and gradient[2, 1] < 0 and (gradient[0] == 0).all()


def test_mixture_follows_its_weights() -> None:
    family = Mixture({"a": Box(3), "b": Box(1), "c": NoBlur()}, weights=[3, 0, 1])
    share = family.draw(4000, generator=seeded())[0].bincount(minlength=3) / 4000
    assert share[1] == 0 and share[0].item() == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_weak_blurs_come_more_often_and_count_as_often(share: float) -> None:
    plain, family = hier(), hier().with_weak_share(share)
    kind, params = family.draw(20000, generator=seeded())
    strength, weight = family.strength_px(params, kind), family.importance(params, kind)
    for index in (1, 2):
        here = kind == index
        weak = strength[here] <= 1.9
        assert weak.float().mean().item() == pytest.approx(share + 0.1 * (1 - share), abs=0.02)
        assert strength[here].min() >= 1 and strength[here].max() <= 10
        assert weight[here].mean().item() == pytest.approx(1, abs=0.06)
        assert (weight[here] * weak).mean().item() == pytest.approx(0.1, abs=0.01)
        mean = (weight[here] * strength[here]).sum() / weight[here].sum()
        assert mean.item() == pytest.approx(5.5, abs=0.25)
    assert (weight[kind == 0] == 1).all()
    assert (plain.importance(*plain.draw(9, generator=seeded())[::-1]) == 1).all()


def test_weak_share_is_for_ranges_alone() -> None:
    fixed = Mixture({"none": NoBlur(), "motion": Motion(4.0, 0)}).with_weak_share(0.5)
    kind, params = fixed.draw(9, generator=seeded())
    assert (fixed.importance(params, kind) == 1).all()
    assert Taps([4, 6]).with_weak_share(0.5).importance(torch.tensor([[4.0]])).tolist() == [1.0]
    with pytest.raises(ValueError, match=r"weak_share must be in \[0, 1\), got 1"):
        hier().with_weak_share(1.0)


def test_empty_batches_pass() -> None:
    for family in (hier(), Taps(4), Defocus(), NoBlur()):
        assert len(family.sample(0, generator=seeded()).psf) == 0


def test_calls_leave_their_arguments_and_the_family_alone() -> None:
    small = Defocus([1, 2])
    Mixture({"a": small, "b": Box(9)})
    assert small.size == 5
    params = torch.tensor([[1.0], [2.0]])
    small.psf(params)
    assert params.tolist() == [[1.0], [2.0]]


def test_padding_and_cropping_keep_the_centre() -> None:
    even = torch.zeros(1, 1, 4, 6)
    even[..., 2, 3] = 1  # centre of an even kernel: k // 2
    for psf in (pad_to_odd(even), pad_to_odd(even, 11)):
        assert psf.shape[-1] % 2 == psf.shape[-2] % 2 == 1 and centroid(psf).abs().max() == 0
    psf = disk_psf(torch.tensor([2.0]), 5)
    assert torch.equal(centre_crop(pad_to_odd(psf, 9), 5), psf)


@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_configuration_makes_its_family(path: Path, levin_data: Path) -> None:
    def build(node: object) -> object:
        if not isinstance(node, dict):
            return node
        options = {key: build(value) for key, value in node.items() if key != "_target_"}
        return (
            getattr(blur, node["_target_"].removeprefix("blurlab.blur."))(**options) if "_target_" in node else options
        )

    family = build(yaml.safe_load(path.read_text().replace("${paths.data_dir}", str(levin_data))))
    assert isinstance(family, blur.BlurFamily)
    mixed = {
        "hier": ("none", "defocus", "motion"),
        "taps": ("none", "taps"),
        "field": ("defocus_field",),
        "three_kinds": ("gaussian", "motion", "defocus"),
        "photographic": ("shake", "motion", "defocus", "gaussian"),
        "camera_kinds": ("none", "gaussian", "defocus", "motion", "shake"),
        **dict.fromkeys(("levin", "levin_mat"), tuple(f"kernel{number}" for number in range(1, 9))),
        "shaken_and_soft": ("shake", "smooth_shake", "motion", "defocus", "gaussian", "aberrations"),
    }
    expected = mixed.get(path.stem, (path.stem,))
    assert family.kinds == expected
    assert family.sample(3, generator=seeded()).psf.shape[-1] == family.size
