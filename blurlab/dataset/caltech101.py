"""Caltech-101: 8,677 photographs of about 300x200 pixels, each of one object of 101 categories."""

from __future__ import annotations

import os

from blurlab.dataset.source import Layout, Photo, Source

# named one by one, so that no other folder of image_0001.jpg passes for a category, BACKGROUND_Google least of all
CATEGORIES = (
    *("accordion", "airplanes", "anchor", "ant", "barrel", "bass", "beaver", "binocular", "bonsai", "brain"),
    *("brontosaurus", "buddha", "butterfly", "camera", "cannon", "car_side", "ceiling_fan", "cellphone", "chair"),
    *("chandelier", "cougar_body", "cougar_face", "crab", "crayfish", "crocodile", "crocodile_head", "cup"),
    *("dalmatian", "dollar_bill", "dolphin", "dragonfly", "electric_guitar", "elephant", "emu", "euphonium", "ewer"),
    *("Faces", "Faces_easy", "ferry", "flamingo", "flamingo_head", "garfield", "gerenuk", "gramophone"),
    *("grand_piano", "hawksbill", "headphone", "hedgehog", "helicopter", "ibis", "inline_skate", "joshua_tree"),
    *("kangaroo", "ketch", "lamp", "laptop", "Leopards", "llama", "lobster", "lotus", "mandolin", "mayfly"),
    *("menorah", "metronome", "minaret", "Motorbikes", "nautilus", "octopus", "okapi", "pagoda", "panda", "pigeon"),
    *("pizza", "platypus", "pyramid", "revolver", "rhino", "rooster", "saxophone", "schooner", "scissors"),
    *("scorpion", "sea_horse", "snoopy", "soccer_ball", "stapler", "starfish", "stegosaurus", "stop_sign"),
    *("strawberry", "sunflower", "tick", "trilobite", "umbrella", "watch", "water_lilly", "wheelchair", "wild_cat"),
    *("windsor_chair", "wrench", "yin_yang"),
)
FACES = ("Faces", "Faces_easy")


class Caltech101(Source):
    """Caltech-101 as its authors pack it: ``101_ObjectCategories/<category>/image_0001.jpg`` ...

    ``BACKGROUND_Google``, which lies beside the categories, is left out: the 101 categories are the set. Ids are
    ``<category>/image_0001.jpg``.

    Args:
        root: The folder ``101_ObjectCategories``, ``caltech-101`` or one that holds it.
    """

    name = "caltech101"
    site = "https://data.caltech.edu/records/mzrjq-6wc02"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = root

    def photos(self) -> list[Photo]:
        """The photographs, each a group of its own but for ``Faces_easy``, which shows those of ``Faces`` cropped."""
        layout = Layout(
            set_name="Caltech-101",
            looks_for="101_ObjectCategories/<category>/image_0001.jpg ... (caltech-101.zip holds "
            "101_ObjectCategories.tar.gz: unpack both)",
            site=self.site,
            folders=("caltech-101", "101_ObjectCategories"),
            places=(tuple(f"101_ObjectCategories/{category}" for category in CATEGORIES), CATEGORIES),
            pattern=r"image_(?P<number>\d{4})\.jpg",
        )
        photos = []
        for _, path, match in layout.find(self.root):
            category = path.parent.name
            group = f"face {match['number']}" if category in FACES else ""
            photos.append(Photo(id=f"{category}/{path.name}", group=group, path=path))
        return photos
