"""What `blurlab deblur` finds in photographs that cameras blurred, and what it makes of them.

    python experiments/schuler2016/real.py FOLDER [--page PAGE]    # FOLDER holds real/; writes results/real.json

For each photograph: kind, probability, side of the kernel, whether it was restored, the normalised sparsity of its
gradients before and after (less is sharper, or rings), and where a published kernel lies beside it (``*_kernel``) the
normalised correlation with it, up to shift and turning by 180 degrees: published files are of either orientation.
The page shows each photograph before and after; it is for the eye, and no photograph is kept in the project.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blurlab.api import Deblurrer
from blurlab.blind import normalised_sparsity
from blurlab.blur import pad_to_odd
from blurlab.cli.line import describe
from blurlab.core.atomic import write_text
from blurlab.core.image_io import read_scaled
from blurlab.metric import kernel_correlation
from blurlab.report.photographs import Shown, shown, write_photographs

RESULT = Path(__file__).parent / "results" / "real.json"
KINDS = (".png", ".jpg", ".bmp")


def photographs(folder: Path) -> list[Path]:
    """The photographs, without published kernels."""
    return sorted(path for path in folder.iterdir() if path.suffix in KINDS and not path.stem.endswith("_kernel"))


def correlation(found: Tensor, path: Path) -> float | None:
    """That of a kernel (k, k) with the published one of a photograph; None where there is none."""
    beside = [path.with_name(f"{path.stem}_kernel{suffix}") for suffix in KINDS]
    published = next((one for one in beside if one.is_file()), None)
    if published is None:
        return None
    other = torch.from_numpy(read_scaled(published).pixels).mean(2)
    other = pad_to_odd((other / other.sum())[None, None])
    side = max(*found.shape, *other.shape[-2:]) // 2 * 2 + 1
    wide, other = pad_to_odd(found[None, None].to(other), side), pad_to_odd(other, side)
    return max(float(kernel_correlation(wide, turned)) for turned in (other, other.flip(-2, -1)))


def tried(tool: Deblurrer, path: Path) -> tuple[dict[str, Any], Shown]:
    """One photograph's line of the record, and what a page shows of it."""
    image, start = read_scaled(path, min_side=64).pixels, time.process_time()
    restored, found = tool.deblur(image)
    seconds = time.process_time() - start
    before, after = (torch.from_numpy(one.copy()).mean(2)[None, None] for one in (image, restored))
    line = {
        "kind": found.kind if found.can_tell else "cannot tell",
        "probability": found.probability,
        "strength_px": found.strength_px,
        "restored": found.undone,
        "kernel_px": int(found.psf.shape[0]),
        "sparsity": [float(normalised_sparsity(one)) for one in (before, after)],
        "kernel_correlation": correlation(torch.from_numpy(found.psf), path) if found.undone else None,
        "cpu_seconds": round(seconds, 1),
    }
    return line, shown(path.name, describe(found), image, restored, found.psf)


def main() -> None:
    """Try every photograph, write the record and the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds real/")
    parser.add_argument("--page", type=Path, help="page with every photograph before and after")
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--only", nargs="*", help="names of some, the rest of the record as it is; default: all")
    args = parser.parse_args()
    kept = json.loads(args.output.read_text())["photographs"] if args.only else {}
    tool, record, pages = Deblurrer(), kept, []
    for path in photographs(args.folder / "real"):
        if args.only and path.name not in args.only:
            continue
        record[path.name], page = tried(tool, path)
        print(path.name, json.dumps(record[path.name]), flush=True)
        pages.append(page)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    versions = {"torch": torch.__version__, "threads": torch.get_num_threads(), "device": "cpu"}
    write_text(args.output, json.dumps({"photographs": record, **versions}, indent=1) + "\n")
    if args.page:
        print(write_photographs(pages, args.page))


if __name__ == "__main__":
    main()
