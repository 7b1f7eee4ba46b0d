"""The tool with another network than that for photographs: by its name, its file, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data

import blurlab
from blurlab.api import Deblurrer
from blurlab.cli import main
from blurlab.core.image_io import write_image
from blurlab.dataset import FundusSynthetic
from blurlab.pipeline.shipped import SHIPPED, load_nets


def photograph() -> np.ndarray:
    return skimage.data.astronaut()[100:260, 60:220].astype(np.float32) / 255


def test_a_file_is_read_as_the_network_of_its_name(tmp_path: Path) -> None:
    copied = shutil.copy(SHIPPED / "photograph.safetensors", tmp_path / "mine.safetensors")
    image = photograph()
    theirs, mine = blurlab.identify(image), blurlab.identify(image, weights=str(copied))
    assert mine.kind == theirs.kind and mine.probability == theirs.probability


def test_the_network_for_fundus_photographs_is_another() -> None:
    image = photograph()
    usual, fundus = (Deblurrer(weights=name).identify(image) for name in ("photograph", "fundus"))
    assert usual.probability != fundus.probability and (usual.network, fundus.network) == ("photograph", "fundus")
    card = (SHIPPED / "fundus.md").read_text()
    assert "fundus.safetensors" in card and set(load_nets("fundus")) == set(load_nets("photograph"))


def test_the_network_that_suits_an_image_is_asked() -> None:
    source = FundusSynthetic(n=1, seed=5, size=256)
    eye, other = source.load(source.photos()[0]), photograph()
    tool = Deblurrer()
    assert [tool.identify(image).network for image in (eye, other)] == ["fundus", "photograph"]
    chosen, told = tool.identify(eye), Deblurrer(weights="fundus").identify(eye)
    assert (chosen.kind, chosen.probability) == (told.kind, told.probability)
    assert tool.deblur(eye)[1].network == "fundus"
    assert "The network fundus was asked." in blurlab.identify(eye).explain()
    assert "network" not in blurlab.identify(other).explain()


@pytest.mark.parametrize(
    ("weights", "error", "what"),
    [
        (
            "fundsu",
            FileNotFoundError,
            r"no weights 'fundsu': neither a file nor one of fundus, photograph; did you mean 'fundus'\?",
        ),
        ("quotient17", ValueError, "quotient17 holds another network; use one of fundus, photograph, or another file"),
        ("unrolled_dr", ValueError, "unrolled_dr is a deconvolver, and names no blur; use method=unrolled_dr"),
        ("https://example.org/a.safetensors", ValueError, "SHA-256"),
    ],
)
def test_wrong_weights_are_refused(weights: str, error: type[Exception], what: str) -> None:
    with pytest.raises(error, match=what):
        blurlab.deblur(photograph(), weights=weights)


def test_a_run_has_weights_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a run has networks of its own; give the run .* or the weights fundus"):
        Deblurrer(tmp_path, weights="fundus")


def test_the_commands_take_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_image(tmp_path / "a.png", photograph())
    main(["identify", str(tmp_path / "a.png"), "--weights", "fundus"])
    fundus = capsys.readouterr().out
    main(["identify", str(tmp_path / "a.png")])
    assert fundus != capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        main(["deblur", str(tmp_path / "a.png"), "-o", str(tmp_path / "out"), "--weights", "fundsu"])
    out, err = capsys.readouterr()
    assert caught.value.code == 2 and out == "" and err.count("\n") == 1 and "no weights 'fundsu'" in err
    assert not (tmp_path / "out").exists()
