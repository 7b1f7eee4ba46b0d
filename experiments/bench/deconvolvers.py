"""Every deconvolver of conf/deconvolver against scikit-image and deepinv, in one run.

    make bench-deepinv                                  # once: deepinv in an environment of its own, from deepinv.txt
    python experiments/bench/deconvolvers.py            # writes results/deconvolvers.json and deconvolvers.md

Same images, kernels, objective and gap. Boundary circular (what all three have in common), sigma .01, a motion of 9
px along the rows. What is compared is called in turn, in an order drawn anew each round; a ratio is the median over
rounds of the quotient within a round, with its quartiles. Images of [0.1, 0.9], so that blurlab's box never binds.

fft        Wiener(boundary="padded") against its bare FFTs on its own grid: one rfft2 of the images, one of the
           zero-padded kernels (one if all share it), one irfft2, called once for the whole batch.
wiener     The same filter, flat prior and one nsr, by all three; the rules for the nsr (Wiener(), unsupervised_wiener).
richardson_lucy  30 iterations, plain.
tv         Seconds to (f - f*) / f* <= 1e-3, f = 1/2 |h * u - y|^2 + alpha TV(u), isotropic. deepinv's TVPrior has
           differences that end at the border, so f and f* are each side's own; f* is of a long primal-dual run in
           float64. deepinv: ADMM, DRS and FISTA, for each the step size and inner iterations that reach the gap first
           in a search.
every      Each YAML as it stands, kernel per image, 256 x 256, alone and per image of a batch of 8; 512 x 512 alone.
"""

from __future__ import annotations

import argparse
import datetime
import json
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from deconvolver_table import markdown
from deepinv_client import DeepinvSide, NotInstalled
from gap import iterations_to, minimise, objective
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from skimage import data, restoration
from timing import Timed, in_turn, machine, ratio, spread, timed
from torch import Tensor

import blurlab.deconvolver as deconvolvers
from blurlab.core.fourier import fast_size, irfft2, psf_to_otf, rfft2
from blurlab.deconvolver import TV, Wiener
from blurlab.deconvolver.weight import FromGradient

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"
SIGMA, TAPS, NSR, GAP, BATCH = 0.01, 9, 0.01, 1e-3, 8
STEPS = {"ADMM": (10.0, 30.0, 100.0, 300.0), "DRS": (10.0, 30.0, 100.0, 300.0), "FISTA": (1.0,)}
INNER = (3, 10, 30)
"""Iterations of the prox of deepinv's TVPrior; it starts where the last call stopped."""


def photographs(batch: int, channels: int, side: int) -> Tensor:
    """Parts of scikit-image's photographs, [0.1, 0.9], (batch, channels, side, side)."""
    picture = data.camera()[..., None] if channels == 1 else data.astronaut()
    whole = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)
    step = (512 - side) // max(batch - 1, 1)
    parts = [whole[:, step * i : step * i + side, step * i : step * i + side] for i in range(batch)]
    if step == 0:
        parts = [part.roll(37 * i, -1) for i, part in enumerate(parts)]
    return 0.1 + 0.8 * torch.stack(parts)


def motion() -> Tensor:
    """A motion along the rows (1, 1, TAPS, TAPS)."""
    psf = torch.zeros(1, 1, TAPS, TAPS)
    psf[..., TAPS // 2, :] = 1 / TAPS
    return psf


def blurred(x: Tensor, psf: Tensor) -> Tensor:
    """Circular convolution and noise."""
    shape = (x.shape[-2], x.shape[-1])
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    return irfft2(psf_to_otf(psf, shape) * rfft2(x), shape) + SIGMA * noise


def unsupervised_wiener(*arguments: Any, **named: Any) -> np.ndarray:
    """scikit-image's, the image alone."""
    return restoration.unsupervised_wiener(*arguments, **named)[0]


def one_by_one(function: Any, y: Tensor, psf: Tensor, *options: Any, **named: Any) -> np.ndarray:
    """A function of scikit-image on each plane."""
    planes, kernel = y.numpy(), psf[0, 0].numpy()
    return np.stack([[function(plane, kernel, *options, **named) for plane in image] for image in planes])


def fft_share(seconds: float) -> dict[str, Any]:
    """Wiener filters against their bare FFTs."""
    rows = {}
    for batch, channels, side, kernels in ((16, 3, 256, 16), (16, 3, 256, 1), (1, 1, 512, 1)):
        psf = motion().expand(kernels, -1, -1, -1).contiguous()
        y = blurred(photographs(batch, channels, side), psf)
        for name, solver, grid in (
            ("Wiener(padded)", Wiener(boundary="padded"), fast_size(side + 2 * TAPS)),
            ("Wiener(nsr, circular)", Wiener(nsr=NSR, boundary="circular"), side),
        ):
            images, planes = torch.rand(batch, channels, grid, grid), torch.rand(kernels, 1, grid, grid)
            calls = {"ours": timed(partial(solver, y, psf, SIGMA)), "bare": timed(partial(bare_ffts, images, planes))}
            times = in_turn(calls, seconds)
            key = f"{name}, {batch} x {channels} x {side} x {side}, {kernels} kernel{'s' * (kernels > 1)}"
            rows[key] = {**milliseconds(times), "ratio": ratio(times["ours"], times["bare"])}
    return rows


def bare_ffts(images: Tensor, kernels: Tensor) -> Tensor:
    """One rfft2 of each and one irfft2."""
    spectrum = torch.fft.rfft2(images)
    torch.fft.rfft2(kernels)
    return torch.fft.irfft2(spectrum, s=images.shape[-2:])


def same_filter(seconds: float, side: DeepinvSide | None, y: Tensor, batch: Tensor) -> dict[str, Any]:
    """One flat Wiener filter by all three, checked to be one; then the rules that find the noise-to-signal ratio."""
    psf, flat, rows = motion(), Wiener(nsr=NSR, prior="flat", boundary="circular"), {}
    for name, images in (("y", y), ("batch", batch)):
        reg = np.ones((images.shape[-2], images.shape[-1] // 2 + 1), dtype=np.complex64)
        theirs = partial(one_by_one, restoration.wiener, images, psf, NSR, reg=reg, clip=False)
        rule = partial(one_by_one, unsupervised_wiener, images, psf, clip=False, rng=0)
        calls: dict[str, Timed] = {
            "ours": timed(partial(flat, images, psf, SIGMA)),
            "scikit-image wiener": timed(theirs),
        }
        if name == "y":  # a Gibbs sampler: minutes for the batch
            calls["ours, own nsr"] = timed(partial(Wiener(boundary="circular"), images, psf))
            calls["scikit-image unsupervised_wiener"] = timed(rule)
        found = {"scikit-image wiener": torch.from_numpy(theirs())}
        if side is not None:
            calls["deepinv prox_l2"] = partial(side.seconds, "wiener", nsr=NSR, on=name)
            calls["deepinv prox_l2"]()
            found["deepinv prox_l2"] = side.image()
        # The flat filter also shrinks the mean, which ours keeps aside.
        kept = flat(images, psf, SIGMA).image
        middle = images.mean((-2, -1), keepdim=True)
        for peer, image in found.items():
            furthest = float((kept - middle - (image - image.mean((-2, -1), keepdim=True))).abs().max())
            if furthest > 1e-3:
                raise AssertionError(f"{peer} restores another image than blurlab: off by {furthest:.3g}")
        times = in_turn(calls, seconds)
        mine = {peer: "ours, own nsr" if "unsupervised" in peer else "ours" for peer in times if "ours" not in peer}
        ratios = {f"{peer} / {own}": ratio(times[peer], times[own]) for peer, own in mine.items()}
        rows[" x ".join(map(str, images.shape))] = {**milliseconds(times), "ratios": ratios}
    return rows


def richardson_lucy(seconds: float, y: Tensor) -> dict[str, Any]:
    """Thirty plain iterations; nothing where blurlab has none."""
    solver = getattr(deconvolvers, "RichardsonLucy", None)
    if solver is None:
        return {}
    psf = motion()
    calls = {
        "ours": timed(partial(solver(iterations=30), y, psf, SIGMA)),
        "scikit-image": timed(partial(one_by_one, restoration.richardson_lucy, y, psf, num_iter=30)),
    }
    times = in_turn(calls, seconds)
    return {**milliseconds(times), "ratios": {"scikit-image / ours": ratio(times["scikit-image"], times["ours"])}}


def tv_to_gap(seconds: float, side: DeepinvSide | None, y: Tensor, reference: int, budget: float) -> dict[str, Any]:
    """Total variation to a gap of the objective."""
    psf = motion()
    weight = float(FromGradient().choose(y, psf, torch.full((1, 1, 1, 1), SIGMA)))
    least = {
        border: objective(minimise(y, psf, weight, border, iterations=reference), y, psf, weight, border)
        for border in (("circular", "replicate") if side is not None else ("circular",))
    }

    def solver(n: int) -> TV:
        return TV(weight=weight, iterations=n, tolerance=0, boundary="circular")

    def after(n: int) -> float:
        return objective(solver(n)(y, psf, SIGMA).image, y, psf, weight)

    needed = iterations_to((1 + GAP) * least["circular"], after, 200)
    if needed is None:
        raise AssertionError(f"TV is not within {GAP:g} of the minimum after 200 iterations; its best is {after(200)}")
    batch = torch.cat([y.roll(37 * i, -1) for i in range(BATCH)])
    calls: dict[str, Timed] = {
        "ours": timed(partial(solver(needed), y, psf, SIGMA)),
        "ours, a batch": timed(partial(solver(needed), batch, psf, SIGMA)),
    }
    record: dict[str, Any] = {"weight": weight, "gap": GAP, "minimum": least, "iterations": {"ours": needed}}
    searched = search(side, weight, (1 + GAP) * least["replicate"], budget) if side is not None else {}
    for name, found in searched.items():
        options = {key: found[key] for key in ("algorithm", "stepsize", "inner", "iterations")}
        if found["reached"]:  # the seconds of one that did not are a bound from below, in the record of the search
            calls[name] = partial(side.seconds, "tv", weight=weight, **options)  # type: ignore[union-attr]
            record["iterations"][name] = options
        else:
            record["iterations"][name] = {
                **options,
                "not reached, gap": found["objective"] / least["replicate"] - 1,
                "seconds": found["seconds"],
            }
    times = in_turn(calls, seconds)
    record |= milliseconds(times)
    times["ours, an image of a batch"] = [value / BATCH for value in times.pop("ours, a batch")]
    record["ratios"] = {
        f"{name} / ours": ratio(values, times["ours"]) for name, values in times.items() if name != "ours"
    }
    return record


def search(side: DeepinvSide, weight: float, target: float, budget: float) -> dict[str, Any]:
    """For each algorithm of deepinv the step size and inner iterations that reach the target first."""
    best = {}
    for algorithm, steps in STEPS.items():
        tried = []
        for stepsize in steps:
            for inner in INNER:
                options = {"algorithm": algorithm, "stepsize": stepsize, "inner": inner}
                quickest = min([budget, *(each["seconds"] for each in tried if each["reached"])])
                tried.append(options | side.ask("search", weight=weight, target=target, seconds=quickest, **options))
                print("  {algorithm} step {stepsize:g} inner {inner}: {iterations} iterations, {seconds:.2f} s, "
                      "reached {reached}".format(**tried[-1]), flush=True)  # fmt: skip
        best[f"deepinv {algorithm}"] = min(tried, key=lambda each: (not each["reached"], each["seconds"]))
    return best


def every(seconds: float, patience: float) -> dict[str, Any]:
    """Each YAML as it stands: alone and per image of a batch; scikit-image's filters beside them."""
    psf = motion().expand(BATCH, -1, -1, -1).contiguous()
    y = blurred(photographs(BATCH, 1, 256), psf)
    alone: dict[str, Timed] = {
        "scikit-image wiener": timed(partial(one_by_one, restoration.wiener, y[:1], psf, NSR)),
        "scikit-image unsupervised_wiener": timed(partial(one_by_one, unsupervised_wiener, y[:1], psf, rng=0)),
        "scikit-image richardson_lucy, 30": timed(
            partial(one_by_one, restoration.richardson_lucy, y[:1], psf, num_iter=30)
        ),
    }
    large = blurred(photographs(1, 1, 512), psf[:1])
    batched: dict[str, Timed] = {}
    larger: dict[str, Timed] = {}
    rows: dict[str, Any] = {}
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        for path in sorted((ROOT / "conf" / "deconvolver").glob("*.yaml")):
            try:
                solver = instantiate(compose(f"deconvolver/{path.stem}")["deconvolver"], _convert_="all")
                took = timed(partial(solver, y[:1], psf[:1], SIGMA))()
            except Exception as error:  # one that needs more than its YAML, such as weights
                rows[path.stem] = {"not timed": f"{type(error).__name__}: {error}"[:200]}
                continue
            alone[path.stem] = timed(partial(solver, y[:1], psf[:1], SIGMA))
            larger[path.stem] = timed(partial(solver, large, psf[:1], SIGMA))
            if took < patience:
                batched[path.stem] = timed(partial(solver, y, psf, SIGMA))
    times, together = in_turn(alone, seconds, least=3), in_turn(batched, seconds, least=3)
    whole = in_turn(larger, seconds, least=3)
    for name, values in times.items():
        rows[name] = {"alone_ms": spread([1e3 * value for value in values])}
        rows[name]["ratio to scikit-image wiener"] = ratio(values, times["scikit-image wiener"])
        if name in whole:
            rows[name]["alone_512_ms"] = spread([1e3 * value for value in whole[name]])
        if name in together:
            rows[name]["in_batch_ms"] = spread([1e3 * value / BATCH for value in together[name]])
    return rows


def milliseconds(times: dict[str, list[float]]) -> dict[str, Any]:
    """Spread of each, under "ms"."""
    return {"ms": {name: spread([1e3 * value for value in values]) for name, values in times.items()}}


def main() -> None:
    """Time all sections, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="of torch, on both sides")
    parser.add_argument("--seconds", type=float, default=10, help="time for each comparison")
    parser.add_argument("--patience", type=float, default=5, help="a slower one is not run on a batch")
    parser.add_argument("--search", type=float, default=20, help="longest for each setting of deepinv")
    parser.add_argument("--reference", type=int, default=3000, help="iterations of the long run to the minimum")
    parser.add_argument("--deepinv", type=Path, default=ROOT / ".venv-deepinv" / "bin" / "python", help="its python")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the record")
    parser.add_argument("--only", nargs="+", default=[], help="sections to time anew in the record that is there")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.filterwarnings("ignore")
    psf = motion()
    y, batch = blurred(photographs(1, 1, 512), psf), blurred(photographs(16, 3, 256), psf)
    record: dict[str, Any] = {"bench": "deconvolvers", "machine": machine()}
    if options.only:
        record |= json.loads((options.results / "deconvolvers.json").read_text())
    record["created"] = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        side = DeepinvSide(options.deepinv, options.threads, y=y, batch=batch, psf=psf[0, 0])
        record["machine"]["deepinv's side"] = side.versions
    except NotInstalled as error:
        side, record["machine"]["deepinv's side"] = None, "not installed"
        print(error)
    sections = {
        "fft": partial(fft_share, options.seconds),
        "wiener": partial(same_filter, options.seconds, side, y, batch),
        "richardson_lucy": partial(richardson_lucy, options.seconds, y),
        "tv": partial(tv_to_gap, options.seconds, side, y, options.reference, options.search),
        "every": partial(every, options.seconds, options.patience),
    }
    for name, section in sections.items():
        if options.only and name not in options.only:
            continue
        print(name, flush=True)
        record[name] = section()
    if side is not None:
        side.close()
    options.results.mkdir(exist_ok=True)
    for path, text in (
        ("deconvolvers.json", json.dumps(record, indent=1) + "\n"),
        ("deconvolvers.md", markdown(record)),
    ):
        temporary = options.results / (path + ".tmp")
        temporary.write_text(text)
        temporary.replace(options.results / path)
    print(markdown(record))


if __name__ == "__main__":
    main()
