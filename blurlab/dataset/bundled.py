"""The photographs that come with scikit-image: there on every machine, without a download."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from blurlab.dataset.source import DataNotFound, Photo, Source

# sharp photographs only: no drawings, no moved clock, no soft moon
FILES = [
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "retina.jpg",
    "rocket.jpg",
]


class Bundled(Source):
    """Fourteen photographs out of scikit-image's package; the two motorcycles, a stereo pair, are one group.

    Args:
        names: Which of them, without suffix (``["camera", "coffee"]``); all if None.
    """

    name = "bundled"
    site = "https://scikit-image.org (pip install scikit-image)"

    def __init__(self, names: list[str] | None = None) -> None:
        known = [Path(file).stem for file in FILES]
        wrong = [name for name in names or [] if name not in known]
        if wrong:
            raise ValueError(f"no bundled photograph is named {', '.join(wrong)}; there are {', '.join(known)}")
        self.names = names or known

    def photos(self) -> list[Photo]:
        """The photographs, in alphabetical order."""
        spec = find_spec("skimage")
        folder = Path(spec.origin).parent / "data" if spec is not None and spec.origin else Path("skimage/data")
        found = [
            Photo(id=file, group="motorcycle" if file.startswith("motorcycle") else "", path=folder / file)
            for file in FILES
            if Path(file).stem in self.names and (folder / file).is_file()
        ]
        if not found:
            raise DataNotFound(f"bundled photographs not found: looked for {FILES[0]} ... in {folder}; get {self.site}")
        return found
