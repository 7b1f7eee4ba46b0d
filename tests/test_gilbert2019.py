"""experiments/gilbert2019: the baseline as coded behaves as it was found to, and its kernels sum to the exposure."""

from __future__ import annotations

import inspect
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import torch

from blurlab.dataset import Bundled
from blurlab.deconvolver import WienerStack
from blurlab.run.command.compose import check

FOLDER = Path(__file__).parents[1] / "experiments" / "gilbert2019"


def script(name: str) -> ModuleType:
    spec = spec_from_file_location(f"gilbert2019_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def as_coded() -> ModuleType:
    return script("as_coded")


def test_kernels_sum_to_the_exposure_and_grow_out_of_each_other(as_coded: ModuleType) -> None:
    psf = as_coded.paper_kernels(torch.arange(40, dtype=torch.float64))
    inside = (psf[:, -1].sum((1, 2)) - 1).abs() < 1e-5  # none of the trajectory outside the box
    assert int(inside.sum()) > 30
    torch.testing.assert_close(psf[inside].sum((2, 3)), torch.tensor(as_coded.EXPOSURES).expand(int(inside.sum()), 4))
    assert bool((psf.diff(dim=1) >= -1e-7).all())
    rows = psf[inside, -1].sum(2) > 0  # the bounding box is in the middle of 34 px
    first, last = rows.int().argmax(1), 34 - rows.flip(1).int().argmax(1)
    assert float((first + last - 33).abs().max()) <= 2


@pytest.mark.slow
def test_linear_ratios_and_sums_below_one_make_the_baseline(as_coded: ModuleType) -> None:
    """Mean PSNR 18.7 / 13.0 / 12.2 dB at ratios 9 / 37 / 65 and 19.5 dB unrestored were found on other crops."""
    names = ["astronaut", "camera", "chelsea", "coffee", "motorcycle_left", "rocket"]
    _, sharp = as_coded.photographs(Bundled(names), len(names))
    measured = as_coded.measure(sharp, paths=1, snrs=(9, 37, 65))
    wiener, observed = measured["wiener"].mean((0, 1)), float(measured["observed"].mean())
    assert wiener.tolist() == pytest.approx([18.7, 13.0, 12.2], abs=1)
    assert observed == pytest.approx(19.5, abs=1.5)
    assert bool((measured["wiener"][:, 0, 1:].mean(0) < 10).all()), "at T = 1/8 bright parts are four times too bright"
    one = measured["wiener"][:, 3].mean(0)
    assert bool((one > observed).all()), "where the kernel sums to one the filter helps"


def test_the_table_measures_the_network_that_is_trained(tmp_path: Path) -> None:
    (cfg,) = check(["+experiment=gilbert2019", f"paths.runs_dir={tmp_path}"])
    options = script("corrected").NET
    defaults = inspect.signature(WienerStack).parameters
    for name, value in cfg.deconvolver.net.items():
        if name != "_target_":
            expected = options.get(name, defaults[name].default)
            assert value == (list(expected) if isinstance(expected, tuple) else expected), name


def test_cases_are_aligned_and_of_the_noise_that_they_say() -> None:
    corrected = script("corrected")
    sharp = torch.full((5, 3, 74, 74), 0.5)
    for exposure in (0.125, 1.0):
        found = list(corrected.cases(sharp, exposure, 7))
        assert [len(case.x) for case in found] == [4, 1]
        for case in found:
            assert case.x.shape == case.y.shape == (len(case.x), 3, 40, 40)
            torch.testing.assert_close(case.psf.sum((1, 2, 3)), torch.ones(len(case.x)))
            torch.testing.assert_close(
                case.sigma, torch.full_like(case.sigma, (0.5 / (2048 * exposure)) ** 0.5), rtol=1e-3, atol=0
            )
            assert float((case.y - case.x).std()) == pytest.approx(float(case.sigma[0]), rel=0.05)
