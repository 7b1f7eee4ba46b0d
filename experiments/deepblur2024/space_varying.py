"""A microscope's field of aberrations found in one image and undone, Fig 10's figures: SSIM, SNR of the operator.

    python experiments/deepblur2024/space_varying.py DATA --name microscopy   # DATA holds microscopy/
    python experiments/deepblur2024/space_varying.py DATA --name bsds         # ... bsds500/

writes results/small/space_varying.<name>.sigma<sigma>.json and a .csv beside it with a line for each image; stopped, it
goes on with the next. `python -m blurlab report` shows the record.

Each image is blurred by a field drawn from `blur=zernike_field` (its defocus and coma grow from the centre), noise is
added, and the field is looked for in the result alone. The SNR of the operator is that of its kernels at four places,
the middles of the quarters, their mean; beside it that of one kernel for the whole image, as
`pipeline=aberrations_network` finds it (but for the range of the coefficients, the field's), and that of the
true field's own mean kernel. What the network believes of the whole image is a hint to both, and the share of
its kernel that this noise asks for is in both. The image is restored by Douglas-Rachford and total variation
with the true operator, the one found, and the mean kernel of the one found.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from kept import digest
from torch import Tensor

from blurlab.blur import Zernike, ZernikeField, field_places
from blurlab.core.atomic import write_text
from blurlab.core.rng import generator, seed_from
from blurlab.core.version import VERSION
from blurlab.dataset import Bsds500, Bundled, Microscopy, Source
from blurlab.dataset.prepare import pick_channel
from blurlab.deconvolver import DouglasRachford
from blurlab.likelihood import FieldRefiner, Microscopes, OrientedRefiner
from blurlab.metric import psf_snr, psnr, ssim
from blurlab.physics import Convolution, LocalBlur
from blurlab.pipeline.aberrations import Aberrations, at_noise
from blurlab.run.command.member import member
from blurlab.run.record.means import interval, proportion
from blurlab.run.record.record import device_name, versions
from blurlab.run.setup.build import build
from blurlab.run.setup.revision import git_revision

RESULTS = Path(__file__).parent / "results" / "small"
SEED = 0
ITERATIONS = 25
"""Of each restoration."""
WAVES, PIXEL_NM = 0.1, 100.0


def photographs(name: str, folder: Path, side: int, count: int) -> Iterator[tuple[str, Tensor]]:
    """Sharp grey images (1, 1, h, w), the middles of photographs, no longer than ``side`` along an axis."""
    sources: list[Source] = (
        [Microscopy(folder), Bundled(["ihc"])] if name == "microscopy" else [Bsds500(folder, ["test"])]
    )
    every = [(source, photo) for source in sources for photo in source.photos()]
    for source, photo in every[: count or None]:
        pixels = pick_channel(source.load(photo), "grey")[..., 0]
        top, left = (max(whole - side, 0) // 2 for whole in pixels.shape)
        yield photo.id, torch.from_numpy(pixels[top : top + side, left : left + side].copy())[None, None].float()


def measure(
    x: Tensor, family: ZernikeField, refiner: FieldRefiner, network: Aberrations, sigma: float, draw: torch.Generator
) -> dict[str, float]:
    """One image blurred, its field found, and undone."""
    params = family.draw(1, generator=draw)[1]
    shape = (x.shape[-2], x.shape[-1])
    blur = family.operator(params, shape=shape)
    y = blur.A(x)
    y = y + sigma * torch.randn(y.shape, generator=draw)
    start = time.process_time()
    with torch.inference_mode():
        hint, own = network.believed(y)
    found = refiner(y, hint)
    whole = refiner.whole(y, hint)
    share = float(at_noise(network.share, whole))
    found = found.with_share(own[0, 0], share)
    seconds = time.process_time() - start
    radius = family.size // 2
    sharp = x[..., radius:-radius, radius:-radius]
    at = torch.tensor([[r * y.shape[-2], c * y.shape[-1]] for r in (0.25, 0.75) for c in (0.25, 0.75)])
    place = field_places(at + radius, shape)
    true, ours = family.psf_at(params, place)[0][:, None], found.psf_at(place)[:, None]
    one = torch.lerp(whole.psf, own, share)
    operator = found.operator()
    restored = {
        "oracle": undone(y, blur, sigma),
        "estimated": undone(y, operator, sigma),
        "mean_kernel": undone(y, Convolution(operator.mean_psf(), "valid"), sigma),
    }
    snr, reverse = psf_snr(ours, true), psf_snr(ours.flip(-2, -1), true)
    figures = {"sigma": sigma, "identify_cpu_s": seconds, "operator_snr": float(snr.mean())}
    figures |= {"operator_snr_either_way": max(float(snr.mean()), float(reverse.mean()))}
    figures |= {"orientation_right": float(snr.mean() >= reverse.mean()), "turned": found.turned}
    figures |= {"operator_snr/one_kernel": float(psf_snr(one.expand_as(true), true).mean())}
    figures |= {"operator_snr/true_mean": float(psf_snr(family.psf(params).expand_as(true), true).mean())}
    half = 1.645 * found.covariance.diagonal().sqrt()
    figures |= {"coverage90": float(((params[0] - found.params).abs() < half).float().mean())}
    for name, image in {**restored, "blurred": y}.items():
        figures |= {f"ssim_{name}": float(ssim(image.clamp(0, 1), sharp)), f"psnr_{name}": float(psnr(image, sharp))}
    return figures


def undone(y: Tensor, blur: LocalBlur, sigma: float) -> Tensor:
    """The image restored by total variation through an operator."""
    with torch.inference_mode():
        return DouglasRachford(iterations=ITERATIONS)(y, blur, sigma).image


def record(name: str, rows: list[dict[str, Any]], args: argparse.Namespace, family: ZernikeField) -> dict[str, Any]:
    """The record of all images so far."""
    photos, metrics = [row["photo"] for row in rows], {}
    shown = [key for key in rows[0] if key not in ("photo", "draw", "sigma", "turned", "orientation_right")]
    for key in shown:
        unit = "dB" if key.startswith(("psnr", "operator")) else "s" if key.endswith("_s") else ""
        metrics[key] = interval([row[key] for row in rows], photos, SEED, unit)
    for other in ("mean_kernel", "blurred"):
        gain = [row["ssim_estimated"] - row[f"ssim_{other}"] for row in rows]
        metrics[f"ssim_gain/{other}"] = interval(gain, photos, SEED, "")
    metrics["orientation_right"] = proportion(sum(row["orientation_right"] for row in rows), len(rows))
    options = {
        "middle_waves": WAVES,
        "pixel_nm": PIXEL_NM,
        **{one.name: [one.low, one.high] for one in family.parameters},
    }
    run = {
        "experiment": "space_varying", "paper": "deepblur2024", "variant": f"{name}.sigma{args.sigma:g}", "seed": SEED
    }  # fmt: skip
    parts = {
        "blur": {"_target_": "blurlab.blur.ZernikeField", **options},
        "noise": {"_target_": "blurlab.noise.Gaussian", "sigma": args.sigma, "bsnr_db": None},
        "deconvolver": {"_target_": "blurlab.deconvolver.DouglasRachford", "iterations": ITERATIONS},
    }
    return {
        **run,
        "budget": "small",
        "git": git_revision(),
        "created": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "dataset": {"name": name, "requested": name, "train": 0, "val": 0, "test": len({*photos}), "side": args.side},
        **parts,
        "config": {**parts, "budget": {"name": "small"}, "run": run},
        "boundary": {"data": "valid", "solver": "unknown"},
        "inverse_crime": False,
        "device": device_name(torch.device("cpu")),
        "versions": {"python": platform.python_version(), "blurlab": VERSION, **versions()},
        "seconds": {"identify_cpu": sum(row["identify_cpu_s"] for row in rows)},
        "metrics": metrics,
        "published": {},
        "limit": {
            "ssim_estimated": {"value": metrics["ssim_oracle"]["value"], "how": "the same with the true operator"},
        },
    }


def main(args: argparse.Namespace) -> None:
    """Measure every image, writing what there is after each."""
    torch.set_num_threads(1)
    family = ZernikeField(Zernike(WAVES, pixel_nm=PIXEL_NM))
    whole = OrientedRefiner(family.family, others=[Microscopes()], temper=0.5)
    refiner = FieldRefiner(family, whole)
    network = build(member("pipeline", "aberrations_network"), Zernike(pixel_nm=PIXEL_NM))
    path = RESULTS / f"space_varying.{args.name}.sigma{args.sigma:g}.json"
    table, rows = path.with_suffix(".csv"), []
    settings = {"side_px": args.side, "weights": digest("zernike")}
    if table.is_file():
        before = json.loads(path.read_text()).get("settings") if path.is_file() else None
        if before not in (None, settings):
            raise SystemExit(f"error: {table} was made with {before}, not {settings}; remove it and {path.name} first")
        with table.open(newline="") as file:
            rows = [{k: v if k == "photo" else float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    done = {(row["photo"], int(row["draw"])) for row in rows}
    for draw in range(args.draws):
        for photo, x in photographs(args.name, args.folder, args.side, args.count):
            if (photo, draw) in done:
                continue
            own = generator(seed_from(SEED, "space varying", photo, draw))
            rows.append({"photo": photo, "draw": draw, **measure(x, family, refiner, network, args.sigma, own)})
            print({key: round(v, 3) if isinstance(v, float) else v for key, v in rows[-1].items()}, flush=True)
            with table.open("w", newline="") as file:
                writer = csv.DictWriter(file, [*rows[0]], lineterminator="\n")
                writer.writeheader()
                writer.writerows({k: round(v, 5) if isinstance(v, float) else v for k, v in r.items()} for r in rows)
            made = record(args.name, rows, args, family) | {"settings": settings}
            write_text(path, json.dumps(made, indent=1) + "\n")
    made = record(args.name, rows, args, family) | {"settings": settings}
    write_text(path, json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds microscopy/, or bsds500/test")
    parser.add_argument("--name", choices=["microscopy", "bsds"], default="microscopy", help="photographs")
    parser.add_argument("--sigma", type=float, default=0.05, help="noise on the [0, 1] scale; default: 0.05")
    parser.add_argument("--draws", type=int, default=3, help="fields drawn for each photograph; default: 3")
    parser.add_argument("--side", type=int, default=414, help="most rows and columns of a sharp image; default: 414")
    parser.add_argument("--count", type=int, default=0, help="photographs; default: all")
    main(parser.parse_args())
