"""What was changed on purpose since the goldens were made, with the reason; see make_house.py."""

_RATIO = "the noise-to-signal ratio is measured in y's own pixels, not in those appended to make it periodic"
_START = "starts from a total variation nearer its minimum"
_LEVEL = "an image is restored at its own level, and total variation converges with next to no noise"
_STEP = "its step has a least length: data with next to no noise are no longer made worse"
_WEIGHT = "its weight comes from y under a taper, not made periodic, and is no less than Bayes's for y's differences"
_FOUR = "four steps that see what lies beyond the border, another start and other weights"
CHANGED: dict[str, str] = {
    "deconvolver.wiener": _RATIO,
    "deconvolver.wiener_padded": _RATIO,
    "deconvolver.wiener_flat": _RATIO,
    "deconvolver.wiener_laplacian": _RATIO,
    "deconvolver.bilateral": _RATIO,
    "deconvolver.tiled": _RATIO,
    "deconvolver.implicit_tv": "multipliers go on from round to round, so it converges",
    "deconvolver.wiener_stack": _START,
    "prior.wiener_*": _RATIO,
    "prior.tv_isotropic_colour": _LEVEL,
    "prior.tv_anisotropic_colour": _LEVEL,
    "weight.tv_Discrepancy": _LEVEL,
    "border.wiener_*": _RATIO,
    "deconvolver.douglas_rachford": _STEP,
    "prior.douglas_rachford_prox": _STEP,
    "camera.douglas_rachford": _STEP,
    "astronaut.douglas_rachford": _STEP,
    "camera.implicit_tv": "multipliers go on from round to round, so it converges",
    "astronaut.implicit_tv": "multipliers go on from round to round, so it converges",
    "camera.wiener": _RATIO,
    "astronaut.wiener": _RATIO,
    "camera.wiener_stack": _START,
    "astronaut.wiener_stack": _START,
    "astronaut.gilbert2019": _START,
    "deconvolver.tikhonov*": _WEIGHT,
    "prior.tikhonov_*": _WEIGHT,
    "camera.tikhonov": _WEIGHT,
    "astronaut.tikhonov": _WEIGHT,
    "per_image.csv": _LEVEL,
    "deconvolver.unrolled_dr": _FOUR,
    "camera.unrolled_dr": _FOUR,
    "astronaut.unrolled_dr": _FOUR,
}
"""Member (``*`` stands for any letters) -> why its values are others now, for instance ``"camera.tikhonov": "..."``."""
