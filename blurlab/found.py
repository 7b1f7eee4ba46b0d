"""What is said of one image: the kind of its blur, its parameters with intervals, its kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Measured:
    """A parameter of the blur that was found, with its 90 % interval; the ends are NaN where that is not known.

    The upper end is infinite where the parameter is at the end of what can be measured: it may be greater.

    Attributes:
        name: Such as ``motion.length_px``, the kind and its parameter; ``length_px`` where a run knows one kind only.
        unit: ``px``, ``deg``, or any other; empty for a plain number.
        value: Best estimate.
        low: Lower end.
        high: Upper end.
    """

    name: str
    unit: str
    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Found:
    """What was found in one image.

    Attributes:
        kind: The most probable kind of blur; ``none`` where no blur was found, ``kernel`` where the run's networks give
            a kernel without a name; the next four are then NaN.
        probability: Probability of that kind.
        strength_px: Best estimate of the strength; 0 where no blur was found, NaN where the kind has no strength.
        interval_px: 90 % interval of the strength; NaN where no blur was found, or no parameter is the strength; its
            upper end is infinite where the strength is at the end of what can be measured.
        kernel_px: Strength of the kernel to restore with, chosen by expected risk; 0 where no blur was found.
        psf: The kernel (k, k) without its empty border; of a blur that varies over the image, that in its middle.
        sigma: Noise standard deviation found in the image, on the [0, 1] scale; NaN where it was not looked for. A
            restoration allows for more.
        angle_deg: Direction of a motion or an ellipse, counter-clockwise from the horizontal; NaN where there is none.
        can_tell: False where the image does not show how it is blurred: every kind is as likely, and nothing but a
            slight softness is undone.
        undone: False where the image is left as it came: no blur was found, or it is not known well enough.
        parameters: All parameters of the kind found that an image tells.
        varies: Does the motion differ over the image? ``psf`` is that in its middle then.
        softness_px: Standard deviation of the Gaussian that is undone where the image is soft and it is not sure in
            which way, or how much; NaN elsewhere.
        max_length_px: A blur of a greater strength is named and left as it is.
        network: The weights of the package, or others, that were asked; empty where a run's were, or none.
    """

    kind: str
    probability: float
    strength_px: float
    interval_px: tuple[float, float]
    kernel_px: float
    psf: np.ndarray
    sigma: float = math.nan
    angle_deg: float = math.nan
    can_tell: bool = True
    undone: bool = True
    parameters: tuple[Measured, ...] = ()
    varies: bool = False
    softness_px: float = math.nan
    max_length_px: float = math.inf
    network: str = ""

    @property
    def word(self) -> str:
        """The kind; ``cannot tell``, or ``soft``, where it is not known.

        Example:
            >>> Found("none", 0.2, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1)), can_tell=False).word
            'cannot tell'
        """
        if self.can_tell:
            return self.kind
        return "cannot tell" if math.isnan(self.softness_px) else "soft"

    @property
    def reason(self) -> str:
        """Why the image is left as it came; empty where its blur is undone.

        Example:
            >>> Found("none", 0.9, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1)), undone=False).reason
            'no blur was found'
        """
        soft = not math.isnan(self.softness_px)
        if not self.can_tell and not soft:
            return "cannot tell how it is blurred"
        if self.kind == "none" and not soft:
            return "no blur was found"
        if self.strength_px > self.max_length_px or self.softness_px > self.max_length_px:
            return f"its blur is longer than the {self.max_length_px:g} px that may be undone"
        return "" if self.undone else "its blur is not known well enough to gain by undoing it"
