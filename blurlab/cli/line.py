"""What was found in a photograph, in one line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blurlab.found import Found


def verdict(found: Found, reason: str) -> str:
    """What was found in a photograph, and why it was not changed where there is a reason.

    Example:
        >>> import numpy as np
        >>> from blurlab.found import Found
        >>> nothing = Found("none", 0.9, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1)), sigma=0.004)
        >>> verdict(nothing, nothing.reason)
        'none, probability 0.900, noise 0.0040; unchanged: no blur was found'
    """
    what = describe(found)
    untold = not found.can_tell and math.isnan(found.softness_px)
    return f"unchanged: {reason}" if untold else f"{what}; unchanged: {reason}" if reason else what


def describe(found: Found) -> str:
    """What was found, in one line.

    Example:
        >>> import numpy as np
        >>> from blurlab.found import Found
        >>> describe(Found("motion", 0.9, 6.0, (5.5, 6.25), 5.8, np.ones((1, 1))))
        'motion 6.00 px (90 % interval 5.50 to 6.25), probability 0.900, kernel of 5.80 px'
        >>> describe(Found("motion", 0.9, 6.0, (5.5, 6.25), 5.8, np.ones((1, 1)), 0.01, angle_deg=37.0))
        'motion 6.00 px at 37.0 deg (90 % interval 5.50 to 6.25), probability 0.900, kernel of 5.80 px, noise 0.0100'
        >>> describe(Found("gaussian", 0.9, 7.97, (7.26, math.inf), 7.65, np.ones((1, 1))))
        'gaussian at least 7.26 px, probability 0.900, kernel of 7.65 px'
        >>> describe(Found("motion", 0.9, 6.0, (5.5, 6.25), 5.8, np.ones((1, 1)), varies=True))
        'motion 6.00 px (90 % interval 5.50 to 6.25) that differs over the image, probability 0.900, kernel of 5.80 px'
        >>> describe(Found("gaussian_correlated", 0.9, math.nan, (math.nan, math.nan), 0.0, np.ones((1, 1))))
        'gaussian_correlated, probability 0.900'
        >>> describe(Found("shake", 0.7, 40.0, (math.nan, math.nan), 40.0, np.ones((1, 1)), undone=False))
        'shake 40.00 px, probability 0.700'
        >>> describe(Found("defocus", 0.7, 8.0, (math.nan, math.nan), 8.0, np.ones((1, 1)), undone=False))
        'defocus 8.00 px across, probability 0.700'
        >>> describe(Found("none", 0.9, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1))))
        'none, probability 0.900'
        >>> describe(Found("none", 0.25, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1)), can_tell=False))
        'cannot tell how it is blurred'
        >>> soft = Found("none", 0.2, 0, (math.nan, math.nan), 0, np.ones((1, 1)), can_tell=False, softness_px=0.8)
        >>> describe(soft)
        'soft, which way cannot be told, a Gaussian of 0.80 px'
        >>> describe(Found("kernel", math.nan, math.nan, (math.nan, math.nan), math.nan, np.ones((25, 25))))
        'a kernel of 25x25 px'
        >>> describe(Found("none", 0.9, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1)), network="fundus"))
        'none, probability 0.900, network fundus'
    """
    usual = found.network in ("", "photograph")
    return _blur(found) + ("" if usual else f", network {found.network}")


def _blur(found: Found) -> str:
    low, high = found.interval_px
    noise = "" if math.isnan(found.sigma) else f", noise {found.sigma:.4f}"
    narrow = "" if math.isnan(found.softness_px) else f", a Gaussian of {found.softness_px:.2f} px"
    undone = f", undone as a Gaussian of {found.softness_px:.2f} px"
    if not found.can_tell:
        return f"soft, which way cannot be told{narrow}{noise}" if narrow else "cannot tell how it is blurred"
    if found.kind == "kernel":
        return "a kernel of {}x{} px".format(*found.psf.shape) + noise
    sure = f"probability {found.probability:.3f}"
    if found.kind == "none":
        return f"{found.kind}, {sure}{noise}"
    turned = "" if math.isnan(found.angle_deg) else f" at {found.angle_deg:.1f} deg"
    is_open = high == math.inf
    ends = "" if math.isnan(low) or is_open else f" (90 % interval {low:.2f} to {high:.2f})"
    across = " across" if found.kind == "defocus" else ""
    value = f"at least {low:.2f}" if is_open else f"{found.strength_px:.2f}"
    size = "" if math.isnan(found.strength_px) else f" {value} px{across}{turned}{ends}"
    differs = " that differs over the image" if found.varies else ""
    kernel = "" if math.isnan(found.strength_px) or not found.undone else f", kernel of {found.kernel_px:.2f} px"
    kernel = undone if narrow and found.undone else kernel
    return f"{found.kind}{size}{differs}, {sure}{kernel}{noise}"
