from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from blurlab.blur import Recorded, centroid, recorded_kernels
from blurlab.physics import Convolution


def put(folder: Path, **planes: list[list[int]]) -> Path:
    for name, plane in planes.items():
        Image.fromarray(np.array(plane, dtype=np.uint8)).save(folder / f"{name}.png")
    return folder


def test_kernels_of_a_folder_are_kinds_of_one_size_and_sum_1(tmp_path: Path) -> None:
    put(tmp_path, kernel1=[[0, 10, 30]], kernel2=[[1] * 5] * 5, other=[[255]])
    family = recorded_kernels(tmp_path, r"kernel\d\.png")
    assert family.kinds == ("kernel1", "kernel2") and family.size == 5 and family.names == ()
    psf = family.psf(torch.empty(2, 0), torch.tensor([0, 1]))
    assert psf[0, 0, 2].tolist() == [0, 0, 0.25, 0.75, 0] and not psf[0, 0, [0, 1, 3, 4]].any()
    torch.testing.assert_close(psf[1], torch.full((1, 5, 5), 0.04))
    assert family.strength_px(torch.empty(2, 0), torch.tensor([0, 1])).isnan().all()


def test_each_kernel_is_drawn_about_equally_often(tmp_path: Path) -> None:
    family = recorded_kernels(put(tmp_path, a=[[1, 2, 3]], b=[[1]], c=[[4, 4, 1]]))
    drawn = family.sample(3000, generator=torch.Generator().manual_seed(0)).kind.bincount(minlength=3)
    assert drawn.sum() == 3000 and int(drawn.min()) > 900


def test_a_turned_kernel_makes_the_convolution_that_correlates_with_its_file(tmp_path: Path) -> None:
    plane = np.random.default_rng(0).integers(0, 256, (5, 3), dtype=np.uint8)
    put(tmp_path, lopsided=plane.tolist())
    x = torch.rand(1, 1, 17, 24, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = ndimage.correlate(x[0, 0].numpy(), plane / plane.sum(), mode="wrap")
    for turned, same in (([], False), (["lopsided"], True)):
        psf = recorded_kernels(tmp_path, turned=turned).psf(torch.empty(1, 0, dtype=torch.float64), 0)
        made = Convolution(psf, "circular").A(x)[0, 0].numpy()
        assert np.allclose(made, expected, atol=1e-7) == same


def test_an_even_kernel_keeps_its_centre() -> None:
    psf = Recorded(torch.ones(2, 4)).psf(torch.empty(1, 0, dtype=torch.float64))
    assert psf.shape == (1, 1, 5, 5)
    assert centroid(psf)[0, 0].tolist() == [-0.5, -0.5]


@pytest.mark.parametrize("kernel", [torch.zeros(3, 3), -torch.ones(3, 3), torch.ones(3), torch.full((3, 3), torch.nan)])
def test_what_is_no_kernel_is_refused(kernel: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="a kernel must be"):
        Recorded(kernel)


def test_a_folder_without_kernels_and_an_unknown_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no kernels in .* named as"):
        recorded_kernels(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="turned names typo, which is none of a"):
        recorded_kernels(put(tmp_path, a=[[1]]), turned=["typo"])
