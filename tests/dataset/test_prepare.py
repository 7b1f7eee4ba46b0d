from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_sets as tiny

from blurlab.core.image_io import read_image
from blurlab.dataset import Folder, Photo, prepare_all, to_square
from blurlab.dataset.prepare import area_weights, linear_weights

RNG = np.random.default_rng(3)


@pytest.mark.parametrize(("side", "size"), [(960, 256), (565, 256), (17, 5), (256, 256), (7, 6), (5, 1)])
def test_area_weights_against_exact_fractions(side: int, size: int) -> None:
    weights = area_weights(side, size)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    for row in {0, size // 2, size - 1}:
        low, high = Fraction(row * side, size), Fraction((row + 1) * side, size)
        exact = [max(Fraction(0), min(high, i + 1) - max(low, i)) * size / side for i in range(side)]
        np.testing.assert_allclose(weights[row], np.array(exact, dtype=float), atol=1e-6)


@pytest.mark.parametrize("side", [96, 81, 50])
def test_shrinking_against_opencv(side: int) -> None:
    image = RNG.random((side, side, 3), dtype=np.float32)
    expected = cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA) * 255
    assert np.abs(to_square(image, 32, "rgb") - expected).max() <= 0.51


def test_nothing_aliases() -> None:
    board = np.indices((192, 192)).sum(0)[..., None] % 2
    assert set(np.unique(to_square(board.astype(np.float32), 64, "grey"))) <= set(range(112, 144))


def test_central_square_of_the_short_side() -> None:
    image = np.zeros((40, 60, 1), np.float32)
    image[:, 10:50] = 1
    assert (to_square(image, 40, "green") == 255).all()
    assert (to_square(image.transpose(1, 0, 2), 40, "green") == 255).all()


def test_channels() -> None:
    colour = np.broadcast_to(np.array([1.0, 0.5, 0.2], np.float32), (40, 40, 3))
    assert to_square(colour, 20, "green")[0, 0].tolist() == [128]
    assert to_square(colour, 20, "grey")[0, 0].tolist() == [round(255 * (0.299 + 0.2935 + 0.0228))]
    assert to_square(colour, 20, "rgb")[0, 0].tolist() == [255, 128, 51]
    grey = colour[..., 1:2]
    assert to_square(grey, 20, "rgb")[0, 0].tolist() == [128] * 3
    assert to_square(grey, 20, "green").shape == to_square(grey, 20, "grey").shape == (20, 20, 1)


def test_enlarging_is_linear_and_limited() -> None:
    expected = cv2.resize(np.eye(20, dtype=np.float32), (36, 36), interpolation=cv2.INTER_LINEAR)
    weights = linear_weights(20, 36)
    np.testing.assert_allclose(weights @ np.eye(20, dtype=np.float32) @ weights.T, expected, atol=1e-5)
    image = RNG.random((20, 24, 1), dtype=np.float32)
    assert to_square(image, 40, "grey").shape == (40, 40, 1)
    with pytest.raises(ValueError, match=r"20x24 would be enlarged more than 2 times to 41x41"):
        to_square(image, 41, "grey")


@pytest.mark.parametrize(("size", "channel", "words"), [(0, "green", "size"), (8, "blue", "green, grey, rgb")])
def test_wrong_options(size: int, channel: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        to_square(np.zeros((40, 40, 1), np.float32), size, channel)
    with pytest.raises(ValueError, match=words):
        prepare_all(Folder("."), [], size, channel)


class Counting(Folder):
    """A folder that counts how often it decodes."""

    loads = 0

    def load(self, photo: Photo) -> np.ndarray:
        self.loads += 1
        return super().load(photo)


@pytest.fixture
def source(tmp_path: Path) -> Counting:
    tiny.put_all(tmp_path / "photos", ["a.png", "b.png", "c.png"])
    return Counting(tmp_path / "photos")


def test_the_cache_saves_decoding(source: Counting, tmp_path: Path) -> None:
    photos = source.photos()
    steps: list[tuple[int, int]] = []
    first = prepare_all(source, photos, 32, "green", tmp_path / "c", progress=lambda *step: steps.append(step))
    again = prepare_all(source, photos, 32, "green", tmp_path / "c")
    assert source.loads == 3 and steps == [(1, 3), (2, 3), (3, 3)]
    assert first.ids == again.ids == ["a.png", "b.png", "c.png"]
    for one, other, photo in zip(first.arrays, again.arrays, photos, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, to_square(read_image(photo.path), 32, "green"))
    for size, channel in ((33, "green"), (32, "grey")):
        prepare_all(source, photos, size, channel, tmp_path / "c")
    assert source.loads == 9


def test_a_ceiling_does_not_enlarge(source: Counting, tmp_path: Path) -> None:
    photos = source.photos()
    for size, side in ((64, 40), (32, 32), (1024, 40)):
        done = prepare_all(source, photos, size, "rgb", tmp_path / "c", ceiling=True)
        assert {array.shape for array in done.arrays} == {(side, side, 3)}
    assert prepare_all(source, photos, 64, "rgb", tmp_path / "c").arrays[0].shape == (64, 64, 3)


def test_a_centre_is_cut_out_as_it_is_and_kept_apart_from_the_shrunk_one(source: Counting, tmp_path: Path) -> None:
    photos = source.photos()
    whole = prepare_all(source, photos, 16, "green", tmp_path / "c")
    cut = prepare_all(source, photos, 16, "green", tmp_path / "c", resize=False)
    image = read_image(photos[0].path)
    top, left = (image.shape[0] - 16) // 2, (image.shape[1] - 16) // 2
    expected = np.round(image[top : top + 16, left : left + 16, 1:2] * 255)
    np.testing.assert_array_equal(cut.arrays[0], expected)
    assert not np.array_equal(cut.arrays[0], whole.arrays[0])


def test_photographs_that_a_patch_cannot_be_cut_from_are_skipped(source: Counting, tmp_path: Path) -> None:
    photos = source.photos()
    fits = prepare_all(source, photos, 1024, "green", tmp_path / "c", ceiling=True, resize=False, least=40)
    assert len(fits.arrays) == 3
    with pytest.raises(ValueError, match="smaller than the 41 pixels"):  # from the cache too
        prepare_all(source, photos, 1024, "green", tmp_path / "c", ceiling=True, resize=False, least=41)
    with pytest.raises(ValueError, match="no 41x41 pixels can be cut"):
        prepare_all(source, photos, 41, "green", tmp_path / "c", resize=False)


def test_changed_files_are_prepared_anew_and_renamed_ones_are_not(source: Counting, tmp_path: Path) -> None:
    prepare_all(source, source.photos(), 32, "green", tmp_path / "c")
    folder = tmp_path / "photos"
    (folder / "a.png").rename(folder / "z.png")
    tiny.put_photo(folder / "d.png").rename(folder / "b.png")
    prepare_all(source, source.photos(), 32, "green", tmp_path / "c")
    assert source.loads == 4


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_damaged_entries_are_made_again(source: Counting, tmp_path: Path, damage: bytes) -> None:
    first = prepare_all(source, source.photos(), 32, "green", tmp_path / "c")
    for entry in (tmp_path / "c").rglob("*.npz"):
        entry.write_bytes(damage)
    again = prepare_all(source, source.photos(), 32, "green", tmp_path / "c")
    assert source.loads == 6
    np.testing.assert_array_equal(first.arrays, again.arrays)
    prepare_all(source, source.photos(), 32, "green", tmp_path / "c")
    assert source.loads == 6


def test_a_flipped_byte_is_noticed(source: Counting, tmp_path: Path) -> None:
    prepare_all(source, source.photos()[:1], 32, "green", tmp_path / "c")
    (entry,) = (tmp_path / "c").rglob("*.npz")
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 255
    entry.write_bytes(data)
    prepare_all(source, source.photos()[:1], 32, "green", tmp_path / "c")
    assert source.loads == 2


def test_photographs_that_fail_are_skipped_and_named(source: Counting, tmp_path: Path) -> None:
    whole = (tmp_path / "photos" / "a.png").read_bytes()
    (tmp_path / "photos" / "a.png").write_bytes(whole[: len(whole) // 2])
    tiny.put_photo(tmp_path / "photos" / "b.png", side=33)
    done = prepare_all(source, source.photos(), 70, "green", tmp_path / "c")
    assert done.ids == ["c.png"]
    assert [name for name, _ in done.skipped] == ["a.png", "b.png"]
    with pytest.raises(ValueError, match="none of 3 photographs"):
        prepare_all(source, source.photos(), 500, "green")


def test_an_unwritable_cache_is_an_error(source: Counting, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PermissionError, match=r"paths\.cache_dir"):
        prepare_all(source, source.photos(), 32, "green", tmp_path / "file")
