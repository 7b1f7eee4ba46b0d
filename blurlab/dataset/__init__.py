"""Where sharp photographs come from, how they are split, prepared and degraded."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blurlab.dataset.bsds500 import Bsds500 as Bsds500
    from blurlab.dataset.bundled import Bundled as Bundled
    from blurlab.dataset.caltech101 import Caltech101 as Caltech101
    from blurlab.dataset.captures import Captures as Captures
    from blurlab.dataset.chase_db1 import ChaseDb1 as ChaseDb1
    from blurlab.dataset.concat import Concat as Concat
    from blurlab.dataset.condition import Condition as Condition
    from blurlab.dataset.condition import Encoded as Encoded
    from blurlab.dataset.condition import OtherNoise as OtherNoise
    from blurlab.dataset.condition import Resized as Resized
    from blurlab.dataset.condition import Softened as Softened
    from blurlab.dataset.condition import Unchanged as Unchanged
    from blurlab.dataset.condition import Varied as Varied
    from blurlab.dataset.datamodule import SCALE as SCALE
    from blurlab.dataset.datamodule import AugmentedItems as AugmentedItems
    from blurlab.dataset.datamodule import DegradedData as DegradedData
    from blurlab.dataset.datamodule import EpochSampler as EpochSampler
    from blurlab.dataset.datamodule import FixedItems as FixedItems
    from blurlab.dataset.datamodule import SharpImages as SharpImages
    from blurlab.dataset.datamodule import degrade_batch as degrade_batch
    from blurlab.dataset.datamodule import item_seed as item_seed
    from blurlab.dataset.degrade import Degrade as Degrade
    from blurlab.dataset.degraded import Degraded as Degraded
    from blurlab.dataset.drive import Drive as Drive
    from blurlab.dataset.folder import Folder as Folder
    from blurlab.dataset.fundus_synthetic import FundusSynthetic as FundusSynthetic
    from blurlab.dataset.hrf import Hrf as Hrf
    from blurlab.dataset.levin09 import Levin09 as Levin09
    from blurlab.dataset.messidor import Messidor as Messidor
    from blurlab.dataset.oxford_flowers import OxfordFlowers as OxfordFlowers
    from blurlab.dataset.prepare import Prepared as Prepared
    from blurlab.dataset.prepare import prepare_all as prepare_all
    from blurlab.dataset.prepare import to_square as to_square
    from blurlab.dataset.some import Some as Some
    from blurlab.dataset.source import DataNotFound as DataNotFound
    from blurlab.dataset.source import Photo as Photo
    from blurlab.dataset.source import Source as Source
    from blurlab.dataset.split import Scan as Scan
    from blurlab.dataset.split import Split as Split
    from blurlab.dataset.split import make_split as make_split
    from blurlab.dataset.split import scan as scan
    from blurlab.dataset.stare import Stare as Stare
    from blurlab.dataset.voc2007 import Voc2007 as Voc2007

# loaded when asked for, so that naming a photograph does not cost the import of Lightning
_HOME = {
    "bsds500": ["Bsds500"],
    "bundled": ["Bundled"],
    "caltech101": ["Caltech101"],
    "captures": ["Captures"],
    "chase_db1": ["ChaseDb1"],
    "concat": ["Concat"],
    "condition": ["Condition", "Encoded", "OtherNoise", "Resized", "Softened", "Unchanged", "Varied"],
    "datamodule": [
        "SCALE",
        "AugmentedItems", "DegradedData", "EpochSampler", "FixedItems", "SharpImages", "degrade_batch", "item_seed",
    ],
    "degrade": ["Degrade"],
    "degraded": ["Degraded"],
    "drive": ["Drive"],
    "folder": ["Folder"],
    "fundus_synthetic": ["FundusSynthetic"],
    "hrf": ["Hrf"],
    "levin09": ["Levin09"],
    "messidor": ["Messidor"],
    "oxford_flowers": ["OxfordFlowers"],
    "prepare": ["Prepared", "prepare_all", "to_square"],
    "some": ["Some"],
    "source": ["DataNotFound", "Photo", "Source"],
    "split": ["Scan", "Split", "make_split", "scan"],
    "stare": ["Stare"],
    "voc2007": ["Voc2007"],
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
