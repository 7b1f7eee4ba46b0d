from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_sets as tiny
from hydra.utils import instantiate
from omegaconf import OmegaConf

from blurlab.core.image_io import ImageReadError
from blurlab.core.rng import seed_from
from blurlab.dataset import (
    Bsds500,
    Bundled,
    Caltech101,
    ChaseDb1,
    Concat,
    DataNotFound,
    Drive,
    Folder,
    Hrf,
    Messidor,
    OxfordFlowers,
    Photo,
    Source,
    Stare,
    Subset,
    Voc2007,
    make_split,
    scan,
)

CONF = Path(__file__).parents[2] / "conf" / "dataset"
LAYOUTS = {
    "drive official": (Drive, "drive", tiny.DRIVE),
    "drive flat": (Drive, "fundus/drive", tiny.DRIVE_FLAT),
    "drive extracted twice": (Drive, "DRIVE/DRIVE", tiny.DRIVE),
    "drive itself": (Drive, "", tiny.DRIVE),
    "chase": (ChaseDb1, "fundus/CHASEDB1", tiny.CHASE),
    "stare": (Stare, "stare-images", tiny.STARE),
    "hrf": (Hrf, "hrf", tiny.HRF),
    "hrf flat": (Hrf, "HRF", [Path(name).name for name in tiny.HRF]),
    "bsds official": (Bsds500, "BSR/BSDS500/data/images", tiny.BSDS),
    "bsds official unpacked here": (Bsds500, "BSDS500/data/images", tiny.BSDS),
    "bsds flat": (Bsds500, "bsds500", tiny.BSDS),
    "messidor official": (Messidor, "Messidor", tiny.MESSIDOR),
    "messidor flat": (Messidor, "fundus/messidor", [Path(name).name for name in tiny.MESSIDOR]),
    "caltech101 official": (Caltech101, "101_ObjectCategories", tiny.CALTECH),
    "caltech101 extracted into its zip's folder": (Caltech101, "caltech-101/101_ObjectCategories", tiny.CALTECH),
    "caltech101 itself": (Caltech101, "", tiny.CALTECH),
    "oxford flowers official": (OxfordFlowers, "jpg", tiny.FLOWERS),
    "oxford flowers in a folder": (OxfordFlowers, "flowers-102/jpg", tiny.FLOWERS),
    "oxford flowers flat": (OxfordFlowers, "oxford_flowers", tiny.FLOWERS),
    "oxford flowers of 17": (OxfordFlowers, "17flowers/jpg", tiny.FLOWERS_17),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_are_found_below_the_data_directory(tmp_path: Path, layout: str) -> None:
    source_class, folder, names = LAYOUTS[layout]
    tiny.put_all(tmp_path / folder, names)
    tiny.put_photo(tmp_path / folder / "somebody_else.png")
    for decoy in ("mask/21_training_mask.png", "Image_01L_1stHO.png", "._im0001.ppm"):
        tiny.put_photo(tmp_path / folder / decoy)
    photos = source_class(tmp_path).photos()
    assert [photo.id for photo in photos] == sorted(names)
    assert all(photo.path is not None and photo.path.is_file() for photo in photos)
    assert source_class(tmp_path).load(photos[0]).shape == (40, 48, 3)


@pytest.mark.parametrize(
    "source_class", [Drive, ChaseDb1, Stare, Hrf, Bsds500, Messidor, Caltech101, OxfordFlowers, Voc2007]
)
def test_a_missing_set_says_where_to_get_it(tmp_path: Path, source_class: type) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataNotFound) as caught:
            source_class(root).photos()
        message = str(caught.value)
        assert "\n" not in message and str(root) in message and source_class.site in message
        assert "looked for" in message


def test_eyes_of_a_child_are_one_group(tmp_path: Path) -> None:
    tiny.put_all(tmp_path, tiny.CHASE)
    photos = ChaseDb1(tmp_path).photos()
    assert len({photo.group for photo in photos}) == 14
    assert photos[0].group == photos[1].group != photos[2].group


def test_folder_is_searched_below_and_hidden_files_are_not(tmp_path: Path) -> None:
    tiny.put_all(tmp_path, ["b.png", "a/c.JPG", ".hidden.png", ".git/d.png"])
    (tmp_path / "notes.txt").write_text("no photograph")
    source = Folder(tmp_path)
    assert [photo.id for photo in source.photos()] == ["a/c.JPG", "b.png"]
    assert source.name == tmp_path.name and Folder(tmp_path, name="mine").name == "mine"
    with pytest.raises(DataNotFound, match="is not a folder"):
        Folder(tmp_path / "nowhere").photos()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataNotFound, match="holds none"):
        Folder(tmp_path / "empty").photos()


def test_bundled_photographs_are_all_there() -> None:
    source = Bundled()
    photos = source.photos()
    assert len(photos) == 14
    shapes = {photo.id: source.load(photo).shape for photo in photos}
    assert shapes["camera.png"] == (512, 512, 1) and shapes["astronaut.png"] == (512, 512, 3)
    assert {photo.id for photo in photos if photo.group} == {"motorcycle_left.png", "motorcycle_right.png"}
    assert [photo.id for photo in Bundled(["camera"]).photos()] == ["camera.png"]
    with pytest.raises(ValueError, match="camra"):
        Bundled(["camra"])


def test_concat_names_and_loads_each_from_its_own_set(tmp_path: Path) -> None:
    tiny.put_all(tmp_path / "drive", tiny.DRIVE_FLAT[:4])
    tiny.put_all(tmp_path / "chase_db1", tiny.CHASE[:4])
    drive, chase = Drive(tmp_path), ChaseDb1(tmp_path)
    both = Concat([drive, chase])
    photos = both.photos()
    assert both.name == "drive+chase_db1" and drive.site in both.site and chase.site in both.site
    assert [photo.id for photo in photos][3:5] == ["drive/04_test.png", "chase_db1/Image_01L.jpg"]
    assert photos[0].group == "" and photos[4].group == "chase_db1/child 01"
    np.testing.assert_array_equal(both.load(photos[5]), chase.load(chase.photos()[1]))
    assert both.digest(photos[0]) == drive.digest(drive.photos()[0])
    with pytest.raises(ValueError, match="different names"):
        Concat([drive, Drive(tmp_path)])
    with pytest.raises(ValueError, match="none of the sets"):
        both.load(Photo(id="hrf/1.png"))


class Drawn(Source):
    name = "drawn"

    def photos(self) -> list[Photo]:
        return [Photo(id=f"drawn/{i}", draw=lambda i=i: np.full((40, 40, 1), i / 10, np.float32)) for i in range(4)]


def test_drawn_photographs_need_no_file() -> None:
    source = Concat([Drawn()])
    photos = source.photos()
    assert float(source.load(photos[3])[0, 0, 0]) == pytest.approx(0.3)
    assert len({source.digest(photo) for photo in photos}) == 4
    source.check(photos[0])
    with pytest.raises(ValueError, match="neither"):
        Drawn().load(Photo(id="x"))


def test_small_photographs_are_refused(tmp_path: Path) -> None:
    tiny.put_photo(tmp_path / "a.png", side=20)
    source = Folder(tmp_path)
    for read in (source.check, source.load):
        with pytest.raises(ImageReadError, match="at least 32"):
            read(source.photos()[0])


@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_makes_its_source(path: Path, tmp_path: Path) -> None:
    around = OmegaConf.create({"paths": {"data_dir": str(tmp_path)}, "budget": {"photos": 5}})
    around.dataset = OmegaConf.load(path)
    node = around.dataset
    assert node.name == path.stem
    sources = [node.get(name) for name in ("source", "val_source", "test_source") if node.get(name) is not None]
    assert sources and all(isinstance(instantiate(one, _convert_="all"), Source) for one in sources)
    assert node.channel in ("green", "grey", "rgb") and node.strict in (True, False)
    assert node["size"] in (32, 96, 128, 160, 208, 255, 256, 320)
    if "fallback" in node:
        assert len(instantiate(node.fallback, _convert_="all").photos()) == 5


def test_links_to_folders_are_followed_and_each_folder_is_read_once(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "set", tmp_path / "elsewhere"
    tiny.put_all(root, ["a.png", "z/b.png", "z/deep/c.png"])
    tiny.put_all(elsewhere, ["d.png", "below/e.png"])
    (root / "again").symlink_to(root / "z")  # the folder itself is read under its own name
    (root / "linked").symlink_to(elsewhere)
    (root / "z" / "linked too").symlink_to(elsewhere / "below")
    (elsewhere / "back").symlink_to(root)
    (elsewhere / "itself").symlink_to(elsewhere)
    (root / ".hidden").symlink_to(elsewhere)
    ids = [photo.id for photo in Folder(root).photos()]
    assert len(ids) == 5 and {"a.png", "z/b.png", "z/deep/c.png", "linked/d.png"} < set(ids)
    assert sum(one.endswith("e.png") for one in ids) == 1
    (tmp_path / "whole").symlink_to(root)
    assert [photo.id for photo in Folder(tmp_path / "whole").photos()] == ids


@pytest.mark.parametrize("name", ["nowhere", "linked.png"], ids=["nowhere", "itself"])
@pytest.mark.parametrize("source_class", [Folder, Drive])
def test_a_link_that_leads_nowhere_is_named(tmp_path: Path, name: str, source_class: type) -> None:
    tiny.put_all(tmp_path, tiny.DRIVE_FLAT[:3])
    (tmp_path / "22_training.png").symlink_to(tmp_path / name)
    (tmp_path / "linked.png").symlink_to(tmp_path / "22_training.png")
    found = scan(source_class(tmp_path))
    assert "22_training.png" in dict(found.skipped) and len(found.photos) == 3


def test_a_link_to_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    tiny.put_all(tmp_path, tiny.DRIVE_FLAT[:3])
    (tmp_path / "more photographs").symlink_to(tmp_path / "unmounted")
    found = scan(Folder(tmp_path))
    assert [name for name, _ in found.skipped] == ["more photographs"] and len(found.photos) == 3


@pytest.mark.parametrize("source_class", [Folder, Drive])
def test_sets_whose_folders_are_links_are_found(tmp_path: Path, source_class: type) -> None:
    tiny.put_all(tmp_path / "disk", tiny.DRIVE)
    (tmp_path / "data" / "drive").mkdir(parents=True)
    (tmp_path / "data" / "drive" / "test").symlink_to(tmp_path / "disk" / "test")
    (tmp_path / "data" / "drive" / "training").symlink_to(tmp_path / "disk" / "training")
    assert len(source_class(tmp_path / "data").photos()) == len(tiny.DRIVE)


@pytest.mark.parametrize("source_class", [Folder, Drive])
def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source_class: type
) -> None:
    tiny.put_all(tmp_path / "drive", tiny.DRIVE)
    listed = os.scandir

    def locked(folder: Path) -> Any:
        if Path(folder).name == "images":
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(PermissionError, match=r"cannot read the folder .*images: Permission denied; change"):
        source_class(tmp_path).photos()


def test_names_of_every_kind_have_an_id_of_valid_text(tmp_path: Path) -> None:
    names = [os.fsdecode(b"caf\xe9.png"), "a\nb.png", "-a.png", "\u65e5" * 80 + ".png", "Eye.png", "eye.png"]
    tiny.put_all(tmp_path / os.fsdecode(b"\xe9"), names)
    source = Folder(tmp_path / os.fsdecode(b"\xe9"))
    split = make_split(Subset(source, len(names)), None)
    ids = sorted(photo.id for photo in (*split.train, *split.val, *split.test))
    assert ids == sorted([r"caf\xe9.png", r"a\nb.png", *names[2:]]) and not split.skipped
    assert source.name == r"\xe9" and json.dumps(ids, ensure_ascii=False).encode("utf-8")
    assert all(seed_from(one) for one in ids)


def test_a_file_of_such_a_name_that_is_no_image_is_named(tmp_path: Path) -> None:
    tiny.put_all(tmp_path, ["a.png", "b.png"])
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"no image")
    skipped = scan(Folder(tmp_path)).skipped
    assert [name for name, _ in skipped] == [r"caf\xe9.png"] and r"caf\xe9.png is not an image" in skipped[0][1]
    str(skipped).encode("utf-8")
