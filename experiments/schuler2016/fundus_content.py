"""Are photographs of the back of the eye known as such, and no others taken for them?

    python experiments/schuler2016/fundus_content.py FOLDER    # of the sets; writes results/fundus_content.json

Asks :func:`blurlab.physics.field_stop.is_fundus` about every photograph of DRIVE, CHASE_DB1, BSDS500 and the ImageNet
samples, and about drawn fundus photographs: the number of each, and of those that it takes for fundus photographs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from blurlab.core.atomic import write_text
from blurlab.dataset import Bsds500, ChaseDb1, Drive, Folder, FundusSynthetic, Source
from blurlab.physics.field_stop import is_fundus

RESULT = Path(__file__).parent / "results" / "fundus_content.json"


def taken(source: Source) -> dict[str, int]:
    """How many photographs of a set there are, and are taken for fundus photographs."""
    count, found = 0, 0
    for photo in source.photos():
        image = torch.from_numpy(source.load(photo)).permute(2, 0, 1)[None].float()
        count, found = count + 1, found + int(is_fundus(image))
    return {"photographs": count, "taken_for_fundus": found}


def main() -> None:
    """Ask about every photograph, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds the sets")
    folder = parser.parse_args().folder
    sources = (
        Drive(folder), ChaseDb1(folder), FundusSynthetic(n=40, seed=5, size=512),
        Bsds500(folder), Folder(folder / "imagenet_samples", name="imagenet_samples"),
    )  # fmt: skip
    sets = {}
    for source in sources:
        sets[source.name] = taken(source)
        print(source.name, json.dumps(sets[source.name]), flush=True)
    write_text(RESULT, json.dumps({"sets": sets, "torch": torch.__version__}, indent=1) + "\n")


if __name__ == "__main__":
    main()
