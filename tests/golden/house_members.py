"""What the house computes, by name: each member of every law list and the solvers on photographs, on seeded inputs.

Every member is a function without arguments that returns tensors. The law lists are those of the checkout whose
blurlab is imported, and the solvers are those of its conf/: what is written here holds for every revision. Names that
were changed between revisions stand in ``LISTS`` and ``CALIBRATION``, the older name last.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import blurlab
from blurlab import deconvolver as solvers
from blurlab import physics
from blurlab.blur import Defocus, Gaussian, Motion
from blurlab.core import boundary as borders
from blurlab.head import grnn
from blurlab.likelihood import Refiner, flat, kind_probability

Member = Callable[[], Sequence[Tensor]]
CHECKOUT = Path(blurlab.__file__).resolve().parents[1]
LISTS = {
    "blur": [("tests/laws/test_blur_laws.py", "FAMILIES")],
    "noise": [("tests/noise/test_noise_laws.py", "MODELS")],
    "deconvolver": [("tests/laws/test_deconvolver_laws.py", "MEMBERS")],
    "condition": [
        ("tests/dataset/test_corruption.py", "CORRUPTIONS"),
        ("tests/dataset/test_condition.py", "CONDITIONS"),
    ],
    "head": [("tests/head/test_heads.py", "SMALL")],
    "feature": [("tests/head/test_feature.py", "FEATURES")],
}
"""Where each law list stands: file and name of the list."""
CALIBRATION = [
    ("blurlab.pipeline.posterior_calibration", "PosteriorCalibration"),
    ("blurlab.pipeline.calibration", "PosteriorCalibration"),
    ("blurlab.pipeline.scale", "Scale"),
]
SIGMA = torch.tensor([0.01, 0.004], dtype=torch.float64)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rectangles(channels: int = 1, shape: tuple[int, int] = (17, 24)) -> Tensor:
    """Two images (2, C, H, W), float64, of random rectangles in [.1, .9] under a little noise."""
    draw = np.random.default_rng(11)
    images = np.full((2, channels, *shape), 0.5)
    for image in images:
        for _ in range(12):
            top, left = (int(draw.integers(0, side - 2)) for side in shape)
            down, across = (int(draw.integers(2, side // 2 + 2)) for side in shape)
            image[:, top : top + down, left : left + across] = draw.uniform(0.1, 0.9, (channels, 1, 1))
    return torch.from_numpy(images + 0.005 * draw.standard_normal(images.shape))


def kernels() -> Tensor:
    """Kernels (2, 1, 5, 5), float64: a row of five, and a lopsided block."""
    psf = torch.zeros(2, 1, 5, 5, dtype=torch.float64)
    psf[0, 0, 2] = 1 / 5
    psf[1, 0, 1:4, 2:] = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 3]]) / 18
    return psf


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Files of this folder can be imported by their names, as pytest lets them be."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@cache
def law_list(group: str) -> tuple[Any, dict[str, Any]]:
    """A law list, and all that stands in its file.

    Raises:
        FileNotFoundError: If the checkout has no such list; add its new place to ``LISTS``.
    """
    for file, name in LISTS[group]:
        if (CHECKOUT / file).is_file():
            with importable((CHECKOUT / file).parent):
                content = runpy.run_path(str(CHECKOUT / file))
            return content[name], content
    raise FileNotFoundError(
        f"{CHECKOUT} has no law list of {group}; add its new place to LISTS in {Path(__file__).name}"
    )


def first_of(places: list[tuple[str, str]]) -> Any:
    """The first of these (module, name) that there is."""
    for module, name in places:
        try:
            return getattr(import_module(module), name)
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError(f"none of {', '.join(module for module, _ in places)}; add the new place")


def drawn_kernels(family: Any) -> Sequence[Tensor]:
    return [family.sample(4, generator=seeded(3)).psf]


def noisy(model: Any) -> Sequence[Tensor]:
    x = rectangles(channels=2).float()
    return model(x, generator=[seeded(1), seeded(2)])


def restored(deconvolver: Any, channels: int = 1) -> Sequence[Tensor]:
    return [deconvolver(rectangles(channels), kernels(), SIGMA).image]


def degraded(condition: Any, degrade: Any) -> Sequence[Tensor]:
    sharp = torch.rand(6, 1, 30, 39, generator=seeded(4))
    done = condition(degrade, sharp, generator=[seeded(100 + i) for i in range(6)], item=torch.arange(6))
    return [done.y, done.x, done.psf, done.sigma]


def logits(make: Any) -> Sequence[Tensor]:
    torch.manual_seed(0)
    net = make(3, 1).eval()
    with torch.no_grad():
        return [net(torch.rand(2, 1, 48, 50, generator=seeded(5)))]


def featured(kind: Any) -> Sequence[Tensor]:
    return [kind(side=24)(torch.rand(2, 1, 41, 57, generator=seeded(7)))]


def law_members() -> Iterator[tuple[str, Member]]:
    """A member for each row of each law list."""
    for name, family in law_list("blur")[0].items():
        yield f"blur.{name}", partial(drawn_kernels, family)
    for name, model in law_list("noise")[0].items():
        yield f"noise.{name}", partial(noisy, model)
    for name, deconvolver in law_list("deconvolver")[0].items():
        yield f"deconvolver.{name}", partial(restored, deconvolver)
    conditions, content = law_list("condition")
    for name, condition in conditions.items():
        yield f"condition.{name}", partial(degraded, condition, content["RUN"])
    for name, make in law_list("head")[0].items():
        yield f"head.{name}", partial(logits, make)
    for kind in law_list("feature")[0]:
        yield f"feature.{kind.__name__}", partial(featured, kind)


def convolved(boundary: str, method: str) -> Sequence[Tensor]:
    psf = torch.rand(2, 1, 5, 9, generator=seeded(8), dtype=torch.float64)
    operator, x = physics.Convolution(psf / psf.sum((2, 3), keepdim=True), boundary, method), rectangles(3)
    y = operator.A(x)
    return [y, operator.A_adjoint(y), operator.normal(x, 0.1), operator.prox_l2(x, y, 2.0)]


def differences(boundary: str) -> Sequence[Tensor]:
    operator = physics.Gradient(boundary)
    field = operator.A(rectangles())
    return [field, operator.A_adjoint(field)]


def extended(boundary: str) -> Sequence[Tensor]:
    wide = borders.extend(rectangles(), (3, 5), boundary)
    return [wide, borders.extend_adjoint(wide, (3, 5), boundary)]


def operator_members() -> Iterator[tuple[str, Member]]:
    for boundary in borders.BOUNDARIES:
        for method in ("direct", "fft"):
            yield f"operator.convolution_{boundary}_{method}", partial(convolved, boundary, method)
        if boundary != "valid":
            yield f"operator.extend_{boundary}", partial(extended, boundary)
    if hasattr(physics, "Gradient"):
        for boundary in ("circular", "replicate"):
            yield f"operator.gradient_{boundary}", partial(differences, boundary)


def option_members() -> Iterator[tuple[str, Member]]:
    """Priors, penalties, rules of the weight and borders, each through a solver that takes it."""
    for prior in ("flat", "gradient", "laplacian", "estimated"):
        yield f"prior.wiener_{prior}", partial(restored, solvers.Wiener(prior=prior))
    for penalty in ("identity", "gradient", "laplacian"):
        for rule in ("gcv", "discrepancy", "sure"):
            yield f"prior.tikhonov_{penalty}_{rule}", partial(restored, solvers.Tikhonov(penalty=penalty, rule=rule))
    for norm in ("isotropic", "anisotropic", "vectorial"):
        yield f"prior.tv_{norm}_colour", partial(restored, solvers.TV(norm=norm), 3)
    for rule in (solvers.Fixed(3e-4), solvers.FromGradient(2.0), solvers.Discrepancy(), solvers.Sure()):
        yield f"weight.tv_{type(rule).__name__}", partial(restored, solvers.TV(weight=rule))
    yield "prior.hyper_laplacian_two_thirds", partial(restored, solvers.HyperLaplacian(power=2 / 3))
    yield "prior.douglas_rachford_prox", partial(restored, solvers.DouglasRachford(solvers.TotalVariationProx(7)))
    for border in ("unknown", "padded", "liu_jia", "edgetaper", "circular"):
        yield f"border.wiener_{border}", partial(restored, solvers.Wiener(boundary=border))
        yield f"border.tv_{border}", partial(restored, solvers.TV(boundary=border))


def fields() -> Tensor:
    """Two smooth fields (2, 1, 72, 72), float64, blurred by a disk of radius 3.3 px, with noise."""
    noise = torch.from_numpy(np.random.default_rng(12).standard_normal((2, 1, 160, 160)))
    down = torch.fft.fftfreq(160, dtype=torch.float64)[:, None]
    rho = (down**2 + torch.fft.rfftfreq(160, dtype=torch.float64) ** 2).sqrt().clamp_min(1 / 160)
    x = torch.fft.irfft2(torch.fft.rfft2(noise) * rho**-1.2, s=(160, 160))[..., :80, :80]
    x = 0.5 + 0.15 * (x - x.mean((-2, -1), keepdim=True)) / x.std((-2, -1), keepdim=True)
    y = physics.Convolution(Defocus(radius_px=[1, 4]).psf(torch.full((2, 1), 3.3, dtype=torch.float64)), "valid").A(x)
    return y + 1e-3 * noise[..., : y.shape[-2], : y.shape[-1]]


def fitted(family: Any, prior: Any = None) -> Sequence[Tensor]:
    fit = Refiner(family, prior)(fields())
    return [fit.params, fit.covariance, fit.sigma, fit.log_likelihood, fit.log_evidence]


def told_apart() -> Sequence[Tensor]:
    y = fields()
    return [kind_probability([Refiner(family)(y) for family in (FITTED["defocus"], FITTED["gaussian"])], [0.5, 0.5])]


FITTED = {
    "defocus": Defocus(radius_px=[1, 8]),
    "motion": Motion(length_px=[3, 20], angle_deg=[0, 180]),
    "gaussian": Gaussian(sigma_px=[0.5, 5]),
}


def regressed() -> Sequence[Tensor]:
    patterns, targets = (torch.rand(60, size, generator=seeded(9), dtype=torch.float64) for size in (4, 2))
    spread, error = grnn.best_spread(patterns, targets)
    return [torch.tensor(spread), error, grnn.grnn(patterns[:7] + 0.05, patterns, targets, spread)]


def calibrated() -> Sequence[Tensor]:
    draw = seeded(10)
    kind = torch.randint(0, 3, (80,), generator=draw)
    scores, evidence = (
        torch.randn(80, 3, generator=draw) + size * torch.nn.functional.one_hot(kind, 3) for size in (2, 1)
    )
    spread = [0.5 + torch.rand(80, 2, generator=draw) for _ in range(2)]
    off = [torch.randn(80, 2, generator=draw) * one for one in spread]
    found = first_of(CALIBRATION).fit(scores, evidence, kind, spread, off)
    return [*found.state_dict().values(), found(scores, evidence)]


def identifier_members() -> Iterator[tuple[str, Member]]:
    for name, family in FITTED.items():
        yield f"identifier.likelihood_{name}", partial(fitted, family)
    yield "identifier.likelihood_flat_prior", lambda: fitted(FITTED["defocus"], flat())
    yield "identifier.kind_probability", told_apart
    yield "identifier.grnn", regressed
    yield "identifier.calibration", calibrated


@cache
def photographs() -> dict[str, tuple[Tensor, Tensor]]:
    """Grey ``camera`` and coloured ``astronaut`` of scikit-image: y (1, C, 96, 80) and kernel; motion, noise .004."""
    from skimage import data

    psf = Motion(length_px=9, angle_deg=30).sample(1, generator=seeded(0)).psf
    margin, found = psf.shape[-1] // 2, {}
    for name, image, (top, left) in (("camera", data.camera(), (120, 180)), ("astronaut", data.astronaut(), (60, 170))):
        cut = image[top - margin : top + 96 + margin, left - margin : left + 80 + margin] / 255
        x = torch.from_numpy(cut.reshape(*cut.shape[:2], -1)).permute(2, 0, 1)[None].float()
        y = physics.Convolution(psf, "valid").A(x)
        found[name] = y + 0.004 * torch.randn(y.shape, generator=seeded(1)), psf
    return found


def configured(*words: str) -> Any:
    """The deconvolver of these words of the command line."""
    from hydra import compose, initialize_config_dir
    from hydra.utils import instantiate

    with initialize_config_dir(str(CHECKOUT / "conf"), version_base="1.3"):
        return instantiate(compose("run", list(words)).deconvolver, _convert_="all")


def restored_photograph(name: str, *words: str) -> Sequence[Tensor]:
    y, psf = photographs()[name]
    return [configured(*words)(y, psf, 0.004).image]


def photograph_members() -> Iterator[tuple[str, Member]]:
    """Every deconvolver of conf/ with its own options and shipped weights, in float32."""
    for solver in sorted(path.stem for path in (CHECKOUT / "conf" / "deconvolver").glob("*.yaml")):
        for name in ("camera", "astronaut"):
            yield f"{name}.{solver}", partial(restored_photograph, name, f"deconvolver={solver}")
    words = ["deconvolver=wiener_stack", "deconvolver.net.channels=3", "deconvolver.weights=gilbert2019"]
    yield "astronaut.gilbert2019", partial(restored_photograph, "astronaut", *words)


@cache
def members() -> dict[str, Member]:
    """All of them; each is made where it is asked for."""
    makers = (law_members, operator_members, option_members, identifier_members, photograph_members)
    return {name: member for make in makers for name, member in make()}
