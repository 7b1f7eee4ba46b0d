"""``blurlab.deblur(image)`` and ``blurlab.identify(image)``: every kind of image in, the same kind out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tifffile
import torch
from PIL import Image
from stand_in_run import Says, trained

import blurlab
from blurlab import one_call
from blurlab.api import Deblurrer
from blurlab.core.kernel_file import write_kernel
from blurlab.deconvolver import TV, InLight, Wiener
from blurlab.noise import Power
from blurlab.run.stage import load

GREY = skimage.data.camera()[200:270, 200:281]
RGB = skimage.data.astronaut()[100:170, 180:261]
ALPHA = np.tile(np.arange(81, dtype=np.uint8), (70, 1))


@pytest.fixture
def blurred(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A tool that calls every image blurred."""
    monkeypatch.setattr(load, "untrained", lambda deconvolver=None, weights=None: trained(Says(0.01, 0.01, 0.98)))
    one_call._auto.cache_clear()
    yield
    one_call._auto.cache_clear()


def arrays() -> dict[str, np.ndarray]:
    rgba = np.dstack([RGB, ALPHA])
    return {
        "RGB, 8 bits": RGB,
        "grey": np.dstack([GREY] * 3),
        "RGBA": rgba,
        "16 bits": RGB.astype(np.uint16) * 257,
        "float": RGB.astype(np.float64) / 255,
        "RGBA, half": (rgba / 255).astype(np.float16),
    }


@pytest.mark.parametrize("name", arrays())
def test_an_array_comes_back_as_it_was_with_other_colours(blurred: None, name: str) -> None:
    image = arrays()[name]
    before = image.copy()
    result = blurlab.deblur(image)
    np.testing.assert_array_equal(image, before)
    assert result.restored and result.reason == "" and result.kind == "taps" and result.parameters
    assert result.image.shape == image.shape and result.image.dtype == image.dtype
    assert not np.array_equal(result.image[..., :3], image[..., :3])
    if image.shape[2] == 4:
        np.testing.assert_array_equal(result.image[..., 3], image[..., 3])
    scale = 1 if image.dtype.kind == "f" else np.iinfo(image.dtype).max
    expected, _ = Deblurrer().deblur((image[..., :3] / scale).astype(np.float32))
    np.testing.assert_allclose(result.image[..., :3] / scale, expected, atol=0.003)


@pytest.mark.parametrize("shape", [(3, 70, 81), (1, 3, 70, 81), (4, 70, 81)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_a_tensor_comes_back_as_a_tensor(blurred: None, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    planes = np.moveaxis(np.dstack([RGB, ALPHA]), -1, 0)[: shape[-3]]
    image = torch.from_numpy(planes.copy()).reshape(shape)
    image = image if dtype == torch.uint8 else image.float() / 255
    result = blurlab.deblur(image)
    assert result.image.shape == shape and result.image.dtype == dtype and result.restored
    assert not torch.equal(result.image, image)
    if shape[-3] == 4:
        assert torch.equal(result.image[3], image[3])
    reference = blurlab.deblur(RGB).image
    mine = result.image.reshape(shape[-3:])[:3].permute(1, 2, 0).double().numpy()
    np.testing.assert_allclose(mine * (1 if dtype == torch.uint8 else 255), reference, atol=1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_pillow_image_comes_back_as_one(blurred: None, mode: str) -> None:
    image = Image.fromarray(np.dstack([RGB, ALPHA])).convert(mode) if mode != "P" else Image.fromarray(RGB).quantize(64)
    image.info["icc_profile"] = b"a profile"
    result = blurlab.deblur(image)
    assert isinstance(result.image, Image.Image) and result.image.mode == (mode if mode != "P" else "RGB")
    assert result.image.size == image.size and result.image.info["icc_profile"] == b"a profile"


def test_a_path_gives_an_array_of_the_files_type(blurred: None, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB.astype(np.uint16) * 257, photometric="rgb")
    result = blurlab.deblur(str(tmp_path / "a.tif"))
    assert result.image.dtype == np.uint16
    np.testing.assert_array_equal(result.image, blurlab.deblur(RGB.astype(np.uint16) * 257).image)


@pytest.mark.parametrize(
    "image",
    [GREY, GREY.astype(np.float32) / 255, torch.from_numpy(GREY.copy()), Image.fromarray(GREY)],
    ids=["uint8", "float32", "tensor", "pillow"],
)
def test_a_grey_image_stays_grey_and_a_flat_one_stays_as_it_is(image: object) -> None:
    result = blurlab.deblur(image, np.ones((3, 3)))
    assert np.asarray(result.image).shape == GREY.shape and type(result.image) is type(image) and result.restored
    flat = np.full((70, 81), 0.3)
    same = blurlab.deblur(flat)
    assert not same.restored and same.image is not flat and same.image.dtype == flat.dtype
    np.testing.assert_array_equal(same.image, flat)
    assert same.explain().endswith("The image was left as it came.")
    assert same.kind == "cannot tell" and np.isnan(same.probability)  # not "none": nobody may take it for sharp


def test_a_known_kernel_is_undone_by_the_method_that_is_named(tmp_path: Path) -> None:
    kernel = np.zeros((5, 5))
    kernel[2] = 0.2
    write_kernel(tmp_path / "k.tif", kernel)
    results = [
        blurlab.deblur(RGB, one, method, sigma=0.01)
        for one, method in ((kernel, "wiener"), (torch.from_numpy(kernel), "wiener"), (tmp_path / "k.tif", "wiener"))
    ]
    for result in results:
        assert result.kind == "kernel" and result.restored and result.noise == 0.01
        np.testing.assert_array_equal(result.image, results[0].image)
        np.testing.assert_allclose(result.kernel, kernel)
        assert "with a kernel of 5x5 px" in result.explain()
    other = blurlab.deblur(RGB, kernel, Wiener(), sigma=0.01)  # not on the light
    assert not np.array_equal(other.image, results[0].image)


def test_mask_and_strength_say_where_and_how_much(blurred: None) -> None:
    image = RGB / 255
    whole = blurlab.deblur(image).image
    mask = np.zeros((70, 81), bool)
    mask[:, 40:] = True
    part = blurlab.deblur(image, mask=mask, strength=0.5).image
    np.testing.assert_array_equal(part[:, :40], image[:, :40].astype(np.float32))
    np.testing.assert_allclose(part[:, 40:], (image + whole)[:, 40:] / 2, atol=1e-6)


def test_a_mask_may_be_a_picture_and_one_in_other_units_is_told_its_range(tmp_path: Path) -> None:
    kernel, mask = np.full((1, 5), 0.2), np.zeros((70, 81), np.uint8)
    mask[:, 40:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    picture = Image.fromarray(mask)
    want = blurlab.deblur(RGB, kernel, "wiener", sigma=0.01, mask=mask / 255).image
    assert not np.array_equal(want, RGB)
    for one in (picture, picture.convert("RGB"), picture.convert("P"), picture.convert("1"), tmp_path / "mask.png"):
        np.testing.assert_array_equal(blurlab.deblur(RGB, kernel, "wiener", sigma=0.01, mask=one).image, want)
    with pytest.raises(ValueError, match=r"mask must lie in \[0, 1\], got 0 to 255; divide it by its white"):
        blurlab.deblur(RGB, kernel, mask=mask)
    spot = Image.fromarray(np.full((3, 3), 9, np.uint8))  # a kernel may be as small as it is
    assert blurlab.deblur(RGB, spot, "wiener", sigma=0.01).kernel.shape == (3, 3)


def test_a_result_is_shown_without_its_pixels(blurred: None) -> None:
    result = blurlab.deblur(RGB)
    assert "kind='taps'" in repr(result) and "array" not in repr(result) and len(repr(result)) < 500


def test_strength_0_is_the_reason_that_is_given(blurred: None) -> None:
    assert blurlab.deblur(RGB, strength=0).reason == "strength is 0"


def test_a_longer_blur_than_is_allowed_is_named_and_left_as_it_is(blurred: None) -> None:
    taps_px = blurlab.identify(RGB).found.strength_px
    assert blurlab.deblur(RGB, max_length_px=taps_px).restored
    result = blurlab.deblur(RGB, max_length_px=taps_px - 0.1)
    assert (
        result.kind == "taps" and not result.restored and "longer than the 4.9 px that may be undone" in result.reason
    )
    np.testing.assert_array_equal(result.image, RGB)
    assert blurlab.deblur(RGB, np.full((1, 9), 1 / 9), max_length_px=4.9).restored  # a kernel that is given is undone


def test_an_image_that_holds_light_is_restored_without_a_curve() -> None:
    kernel, light = np.full((1, 5), 0.2), (RGB / 255) ** 2.2
    for name, method in (("wiener", Wiener()), ("tv", TV())):
        curved, linear = (blurlab.deblur(light, kernel, name, sigma=0.01, linear=one).image for one in (False, True))
        assert not np.array_equal(curved, linear)
        want = blurlab.deblur(light, kernel, InLight(method, Power(1.0), colour=1), sigma=0.01).image
        np.testing.assert_array_equal(linear, want)


def test_networks_are_shown_what_a_file_of_light_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Says(0.01, 0.01, 0.98)
    monkeypatch.setattr(load, "untrained", lambda deconvolver=None, weights=None: trained(net))
    one_call._auto.cache_clear()
    for linear in (True, False):
        blurlab.identify(RGB, linear=linear)
    one_call._auto.cache_clear()
    light, values = (one[0, 0].numpy() for one in net.seen)
    np.testing.assert_allclose(values, RGB[..., 1] / 255, atol=1e-6)
    assert (light >= values).all() and light.mean() > values.mean() + 0.05


def test_identify_restores_nothing(blurred: None) -> None:
    result = blurlab.identify(RGB)
    assert result.image is None and not result.restored and result.kind == "taps" and result.seconds > 0
    assert result.explain().startswith("The most probable blur is taps (probability 0.99). Its taps is 5.00")
    with pytest.raises(FrozenInstanceError):
        result.kind = "none"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("image", "options", "error", "match"),
    [
        ([1, 2], {}, TypeError, "got list"),
        (RGB[:40], {}, ValueError, "sides of at least 64"),
        (np.zeros((70, 81, 5)), {}, ValueError, "1 \\(grey\\), 3 \\(RGB\\)"),
        (torch.zeros(2, 3, 70, 81), {}, ValueError, "take one"),
        (np.moveaxis(RGB, -1, 0), {}, ValueError, r"got \(3, 70, 81\); move its channels to the end"),
        (torch.from_numpy(RGB.copy()), {}, ValueError, r"got \(70, 81, 3\); move its channels first"),
        (RGB.astype(int), {}, ValueError, "its samples are int64; convert them to unsigned integers"),
        (np.full((70, 81), np.nan), {}, ValueError, "NaN"),
        (RGB.astype(float), {}, ValueError, "scale them to"),
        (Image.new("F", (70, 81)), {}, ValueError, "mode F"),
        ("nowhere.png", {}, ValueError, "does not exist"),
        (RGB, {"method": "magic"}, ValueError, "method must be auto, wiener"),
        (RGB, {"strength": 2}, ValueError, "strength must be"),
        (RGB, {"max_length_px": 0}, ValueError, "max_length_px must be a positive number, got 0"),
        (RGB, {"max_length_px": float("nan")}, ValueError, "max_length_px must be a positive number"),
        (RGB, {"mask": np.ones((3, 3))}, ValueError, "mask must be"),
        (RGB, {"kernel": -np.ones((3, 3))}, ValueError, "a kernel must be"),
        (RGB, {"kernel": np.ones((99, 99))}, ValueError, "larger than the image"),
        (RGB, {"kernel": "k.jpg"}, ValueError, "must end in one of"),
        (RGB, {"kernel": "k.npy"}, ValueError, "does not exist"),
    ],
)
def test_what_cannot_be_used_is_refused(image: object, options: dict, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        blurlab.deblur(image, **options)


def test_importing_blurlab_loads_no_torch() -> None:
    code = (
        "import sys, blurlab; assert 'torch' not in sys.modules and 'numpy' not in sys.modules; print(blurlab.__all__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "deblur" in done.stdout and "identify" in done.stdout
