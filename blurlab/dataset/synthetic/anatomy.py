"""Paint the retina: pigment, choroid, nerve fibres, macula, optic disc, vessels and lesions, as linear colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blurlab.dataset.synthetic.lesions import add_lesions
from blurlab.dataset.synthetic.texture import choroid, polar_streaks, power_field, smooth_field
from blurlab.dataset.synthetic.tree import FOVEA_DEG
from blurlab.dataset.synthetic.vessels import Depth
from blurlab.dataset.synthetic.view import Array, View

# relative absorption in red, green, blue
BLOOD = np.array([0.36, 1.0, 0.85], np.float32)
PIGMENT = np.array([0.65, 1.0, 0.9], np.float32)


@dataclass(frozen=True)
class Retina:
    """What varies from eye to eye, drawn by :func:`draw_retina`.

    Attributes:
        colour: Median (red, green, blue) of the photograph.
        vein_depth: Optical depth of the widest vein in green.
        artery_ratio: Depth of an artery relative to a vein of the same width.
        reflex: Relative brightness of the line along large vessels.
        mottle: Log amplitude of the pigment's fine power-law texture.
        mottle_slope: Exponent of its power spectrum.
        cloud: Log amplitude of the coarse variation of pigment.
        choroid: Contrast of the choroidal vessels.
        fibres: Contrast of the nerve-fibre streaks.
        glint: Strength of the specular patches of young eyes.
        macula: Optical depth of the macula in green.
        disc_deg: Half axes of the disc (across, along the vertical), degrees.
        disc_gain: Brightness of the disc relative to the retina.
        cup: Cup's diameter relative to the disc's.
        sick: Number of lesions is about ten times this; 0 for a healthy eye.
    """

    colour: tuple[float, float, float]
    vein_depth: float
    artery_ratio: float
    reflex: float
    mottle: float
    mottle_slope: float
    cloud: float
    choroid: float
    fibres: float
    glint: float
    macula: float
    disc_deg: tuple[float, float]
    disc_gain: float
    cup: float
    sick: float


def draw_retina(rng: np.random.Generator, narrow: bool) -> Retina:
    """Draw an eye; narrow fields follow CHASE_DB1 (children, deep red), wide ones DRIVE (adults, orange)."""
    red = rng.normal(0.71, 0.17) if narrow else rng.normal(0.78, 0.12)
    red = float(np.clip(red, 0.4, 1.0))
    green = red * (0.35 - 0.22 * (red - 0.71) if narrow else 0.50) * np.exp(rng.normal(0, 0.09 if narrow else 0.13))
    blue = green * (rng.normal(0.17, 0.05) if narrow else rng.normal(0.58, 0.07))
    young = rng.beta(1.2, 1.5) if narrow else rng.beta(0.7, 4.0)
    clear = np.exp(rng.normal(0.0, 0.04 if narrow else 0.28))
    return Retina(
        colour=(red, float(green), float(max(blue, 0.01))),
        vein_depth=float((0.72 if narrow else 0.63) * clear * np.exp(rng.normal(0, 0.05 if narrow else 0.1))),
        artery_ratio=float(rng.uniform(0.62, 0.85)),
        reflex=float(rng.uniform(0.05, 0.3)),
        mottle=float((0.033 if narrow else 0.012) * clear * np.exp(rng.normal(0, 0.12 if narrow else 0.25))),
        mottle_slope=float(rng.normal(2.0, 0.2)),
        cloud=float((0.16 if narrow else 0.08) * np.exp(rng.normal(0, 0.3))),
        choroid=float(max(rng.normal(0.01, 0.03), 0.0)),
        fibres=float(rng.uniform(0.01, 0.05)),
        glint=float(young * 0.28),
        macula=float(rng.uniform(0.15, 0.4)),
        disc_deg=(float(rng.normal(2.75, 0.2)), float(rng.normal(3.0, 0.2))),
        disc_gain=float(np.exp(rng.normal(0.42 if narrow else 0.46, 0.14))),
        cup=float(rng.uniform(0.3, 0.6)),
        sick=float(rng.gamma(1.0, 1.0)) if rng.random() < 0.3 else 0.0,
    )


def paint_retina(rng: np.random.Generator, retina: Retina, depth: Depth, view: View) -> Array:
    """Compose the fundus as the camera's lens meets it, before illumination, optics and sensor.

    Args:
        rng: Source of randomness for the textures.
        retina: The eye.
        depth: Its vessels.
        view: Geometry of the photograph.

    Returns:
        (size, size, 3) float32, the median retina at ``retina.colour``.
    """
    u, v = view.to_eye(*view.pixel_grid())
    r, turn = np.hypot(u, v), _turn(u, v)
    pigment = _pigment(rng, retina, view, (u, v, r, turn))
    image = np.array(retina.colour, np.float32) * np.exp(pigment[..., None] * PIGMENT)
    image = _disc(rng, retina, image, view)
    image = image * _choroid_tint(rng, retina, view, r, turn)
    image = add_lesions(rng, image, retina.sick, view)
    blood = retina.vein_depth * np.maximum(depth.vein, np.float32(retina.artery_ratio) * depth.artery)
    blood = blood + np.float32(0.25 * retina.vein_depth) * np.minimum(depth.vein, depth.artery)
    blood = blood * (1 - np.float32(retina.reflex) * depth.reflex)
    image = image * np.exp(-blood[..., None] * BLOOD)
    return _glints(rng, retina, image, depth, view, r, turn)


def _turn(u: Array, v: Array) -> Array:
    """Direction from the disc in turns [0, 1), bent on the macula's side as the nerve fibres bend round the macula."""
    angle = np.arctan2(v, u)
    bent = angle * (1 + np.float32(0.02) * np.maximum(u, 0))
    out: Array = np.mod(bent * np.float32(0.5 / np.pi), np.float32(1))
    return out


def _pigment(rng: np.random.Generator, retina: Retina, view: View, eye: tuple[Array, Array, Array, Array]) -> Array:
    """Log reflectance of retina and pigment epithelium in green: mottle, clouds, fibres and macula."""
    size, degree = view.size, view.px_per_deg
    fine = power_field(rng, size, retina.mottle_slope, 0.25 / degree)
    patch = np.exp(np.float32(0.35) * smooth_field(rng, size, 4))
    cloud = smooth_field(rng, size, 3) + np.float32(0.5) * smooth_field(rng, size, 7)
    u, v, r, turn = eye
    fibres = polar_streaks(rng, r, turn, 160, 5.0) + polar_streaks(rng, r, turn, 400, 3.0)
    near = np.exp(-((r / 8) ** 2)) * np.clip(np.abs(v) / np.maximum(r, np.float32(0.1)) + np.float32(0.2), 0, 1)
    distance = np.hypot(u - FOVEA_DEG[0], (v - FOVEA_DEG[1]) * np.float32(1.15))
    macula = np.exp(-((distance / 4.0) ** 2)) + np.float32(0.6) * np.exp(-((distance / 1.1) ** 2))
    total = retina.mottle * fine * patch + retina.cloud * cloud + retina.fibres * fibres * near
    out: Array = (total + 0.10 * near - retina.macula * macula).astype(np.float32)
    return out


def _choroid_tint(rng: np.random.Generator, retina: Retina, view: View, r: Array, turn: Array) -> Array | float:
    if retina.choroid < 0.01:
        return 1.0
    net = choroid(rng, r, turn, view.px_per_deg) * np.clip(r / 5 - 0.5, 0, 1)
    tint: Array = np.exp((retina.choroid * 2.2 * net)[..., None] * np.array([0.6, 1.0, 0.4], np.float32))
    return tint


def _disc(rng: np.random.Generator, retina: Retina, image: Array, view: View) -> Array:
    """Blend in the disc: an orange rim with a soft, slightly irregular border and a pale cup; changes only its box."""
    reach = 2.2 * max(retina.disc_deg) * view.px_per_deg
    x0, y0 = view.to_pixels(np.zeros(2))
    box = tuple(slice(max(int(at - reach), 0), max(int(at + reach), 0)) for at in (y0, x0))
    x, y = (axis[box] for axis in view.pixel_grid())
    u, v = view.to_eye(x, y)
    across, down = (np.float32(half) for half in retina.disc_deg)
    angle = np.arctan2(v, u)
    r = np.hypot(u / across, v / down)
    for k in (2, 3, 5):
        r = r * (1 + np.float32(rng.normal(0, 0.02)) * np.cos(k * angle + np.float32(rng.uniform(0, 6.28))))
    soft = float(rng.uniform(0.015, 0.05))
    rim = _step((1 - r) / soft)
    cup_r = np.hypot((u - rng.normal(0.6, 0.25)) / across, (v - rng.normal(0.0, 0.2)) / down)
    cup = _step((retina.cup - cup_r) / (2.0 * soft)) * rng.uniform(0.5, 1.0)
    lit = retina.disc_gain * (1 + np.float32(0.2) * u / across)
    red, green, blue = retina.colour
    # the disc's light is whiter than the retina's, the cup's whiter than the rim's
    pale = np.array([max(red, 0.42) * 1.12, green, blue + 0.03 * green], np.float32)
    cream = np.array([max(red, 0.5) * 1.25, 1.75 * green, 1.3 * blue + 0.25 * green], np.float32)
    tissue = (pale + cup[..., None] * (cream - pale)) * np.stack([lit**0.25, lit, lit], axis=-1)
    halo = np.float32(rng.uniform(-0.25, 0.3)) * np.exp(-(np.maximum(r - 1, 0) ** 2) / np.float32(0.06))
    mask = (rim + (1 - rim) * halo)[..., None]
    grain = 0.6 + 0.4 * image[box] / np.array(retina.colour, np.float32)
    out = image.copy()
    out[box] = image[box] * (1 - mask) + tissue * grain * mask
    return out


def _step(x: Array) -> Array:
    """Logistic step from 0 to 1, safe far from the edge."""
    return (1 / (1 + np.exp(-np.clip(x, -30, 30)))).astype(np.float32)


def _glints(
    rng: np.random.Generator, retina: Retina, image: Array, depth: Depth, view: View, r: Array, turn: Array
) -> Array:
    """Specular patches of the inner limiting membrane beside the larger vessels."""
    if retina.glint < 0.03:
        return image
    import cv2

    beside = cv2.GaussianBlur(np.maximum(depth.vein, depth.artery), (0, 0), 0.8 * view.px_per_deg)
    where = np.clip(beside * 6 * np.clip(smooth_field(rng, view.size, 7) - 0.5, 0, None), 0, 1.5)
    streak = np.clip(polar_streaks(rng, r, turn, 260, 1.6) + power_field(rng, view.size, 1.5, 0.03, 0.2) - 0.3, 0, None)
    glint = (retina.glint * 0.5 * where * streak * np.exp(-((r / 14) ** 2)))[..., None]
    out: Array = image * (1 + glint * np.array([0.25, 1.0, 1.0], np.float32))
    return out
