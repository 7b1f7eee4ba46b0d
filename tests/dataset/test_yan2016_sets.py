"""The sets of Yan & Shao 2016 (Caltech-101, Oxford flowers, VOC 2007) beyond their layouts, and choosing from a set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_sets as tiny
from hydra.utils import instantiate
from omegaconf import OmegaConf

from blurlab.dataset import (
    Bundled,
    Caltech101,
    Concat,
    DataNotFound,
    Folder,
    FundusSynthetic,
    OxfordFlowers,
    Photo,
    Source,
    Subset,
    Voc2007,
    make_split,
)
from blurlab.dataset.caltech101 import CATEGORIES

CONF = Path(__file__).parents[2] / "conf" / "dataset"


def ids(source: Source) -> list[str]:
    return [photo.id for photo in source.photos()]


def test_caltech_has_101_categories_and_the_background_is_none(tmp_path: Path) -> None:
    assert len(set(CATEGORIES)) == 101
    names = [f"{category}/image_0001.jpg" for category in CATEGORIES]
    tiny.put_all(tmp_path / "101_ObjectCategories", [*names, "BACKGROUND_Google/image_0001.jpg"])
    assert ids(Caltech101(tmp_path)) == sorted(names)


def test_caltech_is_not_mistaken_for_flowers_beside_it(tmp_path: Path) -> None:
    tiny.put_all(tmp_path / "jpg", tiny.FLOWERS_17)
    with pytest.raises(DataNotFound):
        Caltech101(tmp_path).photos()
    tiny.put_all(tmp_path / "caltech-101" / "101_ObjectCategories", tiny.CALTECH)
    assert ids(Caltech101(tmp_path)) == sorted(tiny.CALTECH)
    assert ids(OxfordFlowers(tmp_path)) == tiny.FLOWERS_17


def test_a_face_and_its_cropped_copy_are_one_group(tmp_path: Path) -> None:
    tiny.put_all(tmp_path, tiny.CALTECH)
    group = {photo.id: photo.group for photo in Caltech101(tmp_path).photos()}
    assert group["Faces/image_0002.jpg"] == group["Faces_easy/image_0002.jpg"] != group["Faces/image_0001.jpg"]
    assert group["accordion/image_0002.jpg"] == ""


def test_of_two_flower_sets_in_one_folder_the_102_are_taken(tmp_path: Path) -> None:
    tiny.put_all(tmp_path / "jpg", [*tiny.FLOWERS, *tiny.FLOWERS_17])
    assert ids(OxfordFlowers(tmp_path)) == tiny.FLOWERS


@pytest.mark.parametrize("root", ["", "VOCdevkit", "VOCdevkit/VOC2007"])
def test_voc_takes_what_the_lists_of_its_parts_name(tmp_path: Path, root: str) -> None:
    folder = tmp_path / "VOCdevkit" / "VOC2007"
    tiny.put_voc(folder, "trainval", "test")
    tiny.put_all(folder / "JPEGImages", ["000099.jpg", "2008_000001.jpg"])
    of = {part: [f"{name}.jpg" for name in names] for part, names in tiny.VOC.items()}
    assert ids(Voc2007(tmp_path / root)) == sorted(of["trainval"] + of["test"])
    assert ids(Voc2007(tmp_path / root, ["test"])) == of["test"]
    assert ids(Voc2007(tmp_path / root, ["trainval"])) == of["trainval"]
    assert ids(Voc2007(tmp_path / root, None)) == sorted([*of["trainval"], *of["test"], "000099.jpg"])


def test_voc_without_a_list_says_which_archive_holds_it(tmp_path: Path) -> None:
    tiny.put_voc(tmp_path / "VOC2007", "trainval")
    assert len(Voc2007(tmp_path, ["trainval"]).photos()) == len(Voc2007(tmp_path, None).photos()) == 3
    path = tmp_path / "VOC2007" / "ImageSets" / "Main" / "test.txt"
    answers = {
        None: "cannot read .*No such file",
        "": "names no photograph",
        "000001\n000005\n000002": "names 2 .*000001",
    }
    for text, answer in answers.items():
        if text is not None:
            path.write_text(text)
        with pytest.raises(DataNotFound, match=answer) as caught:
            Voc2007(tmp_path).photos()
        message = str(caught.value)
        assert "\n" not in message and str(path) in message and "VOCtest_06-Nov-2007.tar" in message


@pytest.mark.parametrize("parts", [[], ["val"], ["test", "tset"]])
def test_voc_refuses_a_part_that_it_does_not_know(parts: list[str]) -> None:
    with pytest.raises(ValueError, match=r"trainval, test, or None for all, got \["):
        Voc2007("anywhere", parts)


class Named(Source):
    name = "named"
    site = "nowhere"

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def photos(self) -> list[Photo]:
        return [Photo(id=name, group=f"group {name}") for name in self.names]

    def digest(self, photo: Photo) -> str:
        return f"digest of {photo.id}"


NAMES = [f"{i:03d}" for i in range(100)]


def test_a_smaller_choice_lies_within_a_larger_one_and_order_does_not_matter() -> None:
    larger: set[str] = set()
    for count in range(1, 101):
        chosen = ids(Subset(Named(NAMES), count))
        assert len(chosen) == count and chosen == sorted(chosen) and larger < set(chosen)
        assert chosen == ids(Subset(Named(NAMES[::-1]), count))
        larger = set(chosen)
    assert ids(Subset(Named(NAMES))) == NAMES


def test_a_choice_is_no_run_of_names() -> None:
    places = np.array([int(name) for name in ids(Subset(Named(NAMES), 50))])
    assert 17 <= (places < 50).sum() <= 33  # hypergeometric, 25 +- 2.5
    assert 15 <= (places % 2).sum() <= 35


def test_a_photograph_added_moves_at_most_one() -> None:
    before = set(ids(Subset(Named(NAMES), 30)))
    sizes = {len(before - set(ids(Subset(Named([*NAMES, f"new {i}"]), 30)))) for i in range(20)}
    assert sizes == {0, 1}


def test_chosen_photographs_are_those_of_the_set(tmp_path: Path) -> None:
    tiny.put_all(tmp_path, ["a.png", "b.png", "c.png"])
    tiny.put_photo(tmp_path / "d.png", side=20)
    for whole in (Folder(tmp_path, name="mine"), FundusSynthetic(n=4, size=64)):
        some = Subset(whole, 3)
        assert some.site == whole.site and some.name == f"{whole.name}_3" and Subset(whole).name == whole.name
        for photo in some.photos():
            assert photo in whole.photos() and some.digest(photo) == whole.digest(photo)
    mine = Folder(tmp_path, name="mine")
    some = Subset(mine, 4)
    np.testing.assert_array_equal(some.load(mine.photos()[0]), mine.load(mine.photos()[0]))
    assert make_split(some).skipped == make_split(mine).skipped != []
    assert Subset(Named(["x"]), 1).photos()[0].group == "group x"


def test_a_choice_that_cannot_be_made_is_refused() -> None:
    for count in (0, -1):
        with pytest.raises(ValueError, match=f"at least 1, or None .* got {count}"):
            Subset(Named(NAMES), count)
    with pytest.raises(ValueError, match=r"one set, got named\+bundled"):
        Subset(Concat([Named(NAMES), Bundled()]), 5)
    with pytest.raises(DataNotFound, match=r"holds 100 photographs and 101 are asked for.*nowhere"):
        Subset(Named(NAMES), 101).photos()


def test_the_sets_of_yan_and_shao_2016_are_split_each_by_itself(tmp_path: Path) -> None:
    tiny.put_all(tmp_path / "oxford_flowers" / "jpg", tiny.FLOWERS)
    tiny.put_all(tmp_path / "101_ObjectCategories", tiny.CALTECH)
    tiny.put_all(tmp_path / "bsds500", tiny.BSDS)
    around = OmegaConf.create({"paths": {"data_dir": str(tmp_path)}, "dataset": OmegaConf.load(CONF / "yan2016.yaml")})
    source = instantiate(around.dataset.source, _convert_="all")
    assert source.name == "oxford_flowers_5000+caltech101_5000"
    with pytest.raises(DataNotFound, match="oxford_flowers holds 8 photographs and 5000 are asked for"):
        make_split(source)
    for node in around.dataset.source.sources:
        node.count = 5
    split = make_split(instantiate(around.dataset.source, _convert_="all"))
    every = [photo.id for photo in (*split.train, *split.val, *split.test)]
    for name in ("oxford_flowers_5", "caltech101_5"):
        assert sum(photo_id.startswith(f"{name}/") for photo_id in every) == 5
    tested = instantiate(around.dataset.test_source, _convert_="all")
    assert tested.name == "bsds500" and ids(tested) == ["test/100007.jpg", "test/100039.jpg"]
