"""A motion that the network named, fitted to the photograph: nearer to the truth, its intervals narrower."""

from __future__ import annotations

import pytest
import skimage.data
import torch

from blurlab.api import Deblurrer
from blurlab.blind import FreeForm
from blurlab.blur import motion_psf
from blurlab.physics import Convolution
from blurlab.pipeline import Photograph
from blurlab.pipeline.line_fit import FITTED_SHARES, fitted_error, refitted


def test_a_motion_of_the_files_values_is_measured_on_the_photograph() -> None:
    sharp = torch.from_numpy(skimage.data.astronaut()[:330, 60:420].copy()).permute(2, 0, 1)[None] / 255
    line = motion_psf(torch.tensor([9.0]), torch.tensor([30.0]), 11)
    y = Convolution(line, "valid").A(sharp).mul(255).round().div(255)
    pipeline = Deblurrer().trained.pipeline
    assert isinstance(pipeline.identifier, Photograph)
    pipeline.identifier.free_form = None  # so that nothing is fitted yet
    found = pipeline.identify(y)
    family = pipeline.identifier.family.with_size(found.psf.shape[-1])
    with torch.no_grad():
        fit = refitted(FreeForm(), family, found, y, found.blurred)
        same = refitted(FreeForm(), family, found, y, torch.zeros_like(found.blurred))
    assert same is found and found.label is not None and fit.label is not None and fit.error_px is not None
    columns = family.columns(family.kinds.index("motion"))
    length, angle = fit.label.params[0, columns].tolist()
    assert length == pytest.approx(9, abs=0.5) and angle == pytest.approx(30, abs=4)
    assert abs(angle - 30) < abs(float(found.label.params[0, columns][1]) - 30)
    assert float(fit.label.interval_px[0, 0]) < 9 < float(fit.label.interval_px[0, 1])
    torch.testing.assert_close(fit.label.interval_px.diff(), FITTED_SHARES[0] * found.label.interval_px.diff())
    assert fit.label.halfwidth is not None and found.label.halfwidth is not None
    shares = (fit.label.halfwidth / found.label.halfwidth)[0, columns]
    torch.testing.assert_close(shares, torch.tensor(FITTED_SHARES))
    assert float(fit.label.strength_px[0]) == pytest.approx(length) and fit.error_px.equal(
        fitted_error(fit.label.strength_map_px)
    )
    middle = fit.psf.shape[-1] // 2
    wanted = torch.nn.functional.pad(line, (middle - 5,) * 4)
    assert float((fit.psf - wanted).norm()) < float((found.psf - wanted).norm())
