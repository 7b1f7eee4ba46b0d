"""A metric that stands in the table of image metrics reaches the lines, the limits and the words of a record."""

from __future__ import annotations

import pytest
import torch

from blurlab.metric import IMAGE_METRICS, ImageMetric
from blurlab.physics import Convolution, Degraded
from blurlab.report.labels import MEASURING, METRICS, NAMING, Label, label
from blurlab.run.record.restored import figures, reference
from blurlab.run.record.rows import Item, Truth
from blurlab.run.record.summary import oracle_limits
from blurlab.run.stage.kernels import add_references


@pytest.fixture
def mae(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean absolute error, as one more metric."""
    monkeypatch.setitem(IMAGE_METRICS, "mae", ImageMetric(lambda x_hat, x: (x_hat - x).abs().mean((1, 2, 3))))


def case() -> Degraded:
    x = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    psf = torch.full((1, 1, 3, 3), 1 / 9)
    number = torch.zeros(1, dtype=torch.long)
    return Degraded(
        y=(x + 0.25), x=x, blur=Convolution(psf, "circular"), sigma=torch.tensor([0.01]), kind=number,
        params=torch.zeros(1, 0), strength_px=torch.zeros(1), item=number, weight=torch.ones(1),
    )  # fmt: skip


@pytest.mark.usefixtures("mae")
@pytest.mark.parametrize("captured", [False, True])
def test_a_new_metric_is_measured_of_restored_and_of_blurred_images(captured: bool) -> None:
    one = case()
    assert figures(one, one.x + 0.5, captured)["mae"] == pytest.approx(0.5, abs=1e-3)
    assert reference(one, captured)["blurred"]["mae"] == pytest.approx(0.25, abs=1e-3)


@pytest.mark.usefixtures("mae")
def test_a_new_metric_is_measured_by_an_evaluation_and_the_true_kernel_is_its_limit() -> None:
    item = Item("a.png", 0, Truth("motion", {}, 0.0, 0.01))
    add_references(case(), [item])
    assert item.figure("mae", "blurred") == pytest.approx(0.25, abs=1e-3)
    assert list(item.restorations["blurred"]) == ["ssim", "psnr", "mae"]
    known = {"mae_estimated": {"value": 0.2}, "mae_oracle": {"value": 0.1}}
    assert oracle_limits(known)["mae_estimated"]["value"] == 0.1


def test_the_words_of_a_metric_are_those_of_each_image_that_it_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "mae", Label("Mean absolute error", "", 4, False, headline=True))
    shown = label("mae_estimated/tv")
    assert (shown.text, shown.digits, shown.higher_is_better) == ("Mean absolute error, estimated kernel", 4, False)
    assert not shown.headline
    assert label("ssim_oracle") is METRICS["ssim_oracle"] and label("radius_map").text == "radius map"


def test_a_family_that_no_row_names_has_words_and_a_direction_for_its_metrics() -> None:
    width = label("fwhm_median_px/moffat/network")
    assert (width.text, width.unit) == ("Fwhm, median error where the kind was found", "px")
    assert (width.higher_is_better, width.group) == (False, MEASURING)
    assert label("accuracy_moffat").group == NAMING and label("coverage90_fwhm").higher_is_better is None
