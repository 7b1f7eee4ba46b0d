"""The fundus camera: illumination, optics, field stop, sensor grain and eight bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blurlab.dataset.synthetic.texture import smooth_field
from blurlab.dataset.synthetic.view import Array, View


@dataclass(frozen=True)
class Camera:
    """What varies from exposure to exposure. Lengths are in pixels of a photograph 512 pixels wide.

    Attributes:
        blur_px: Standard deviation of the optics' Gaussian blur across (x) and down (y) the image.
        halo: Share of the light in the wide skirt of the optics' blur.
        noise: Standard deviation of the sensor's noise at mid grey.
        grain_px: Correlation of the noise: the Gaussian it was smoothed with.
        vignette: Loss of light at the field's edge relative to its centre, log.
        hot: Log gain of an off-centre pool of light, and its place relative to the field's radius.
        tilt: Log gain across the field, x and y.
        rim: Strength and direction (radians) of the glowing crescent at the field's edge.
        haze: Stray light added everywhere within the field.
        black: Level outside the field.
        tab: Whether the field stop has the small tab that marks the upper right.
        edge_px: Softness of the field stop.
    """

    blur_px: tuple[float, float]
    halo: float
    noise: float
    grain_px: float
    vignette: float
    hot: tuple[float, float, float]
    tilt: tuple[float, float]
    rim: tuple[float, float]
    haze: float
    black: float
    tab: bool
    edge_px: float


def draw_camera(rng: np.random.Generator, narrow: bool) -> Camera:
    """Draw a camera and an exposure; photographs differ in their own sharpness."""
    blur = float(np.exp(rng.normal(np.log(0.55 if narrow else 0.75), 0.1 if narrow else 0.17)))
    stretch = float(np.exp(rng.normal(0.0 if narrow else 0.22, 0.08)))
    return Camera(
        blur_px=(blur * stretch, blur / stretch),
        halo=float(rng.uniform(0.02, 0.12)),
        noise=float((0.0095 if narrow else 0.0075) * np.exp(rng.normal(0, 0.2))),
        grain_px=float(rng.uniform(0.6, 1.0)),
        vignette=float(rng.normal(0.75, 0.15) if narrow else rng.normal(0.10, 0.18)),
        hot=(
            float(rng.normal(0.25 if narrow else 0.02, 0.12)),
            float(rng.normal(0, 0.25)),
            float(rng.normal(0.1, 0.3)),
        ),
        tilt=(float(rng.normal(0, 0.14 if narrow else 0.10)), float(rng.normal(0.05, 0.1 if narrow else 0.08))),
        rim=(float(max(rng.normal(-0.05 if narrow else 0.08, 0.13), 0.0)), float(rng.normal(2.4, 0.8))),
        haze=float(rng.uniform(0.0, 0.02)),
        black=0.0 if narrow else float(rng.uniform(0.0, 0.03)),
        tab=not narrow and bool(rng.random() < 0.6),
        edge_px=float(rng.uniform(0.5, 1.6)),
    )


def expose(rng: np.random.Generator, image: Array, camera: Camera, view: View) -> Array:
    """Photograph a painted retina.

    Args:
        rng: Source of randomness for the uneven light and the noise.
        image: Retina (size, size, 3) of :func:`paint_retina`.
        camera: The camera and its exposure.
        view: Geometry of the photograph.

    Returns:
        (size, size, 3) float32 in [0, 1], rounded to 8 bits.
    """
    x, y = view.pixel_grid()
    x = (x - np.float32(view.centre_px[0])) / np.float32(view.radius_px)
    y = (y - np.float32(view.centre_px[1])) / np.float32(view.radius_px)
    lit = image * _illumination(rng, camera, view, x, y)[..., None] + np.float32(camera.haze)
    lit = _shoulder(lit + _crescent(camera, x, y))
    inside = _field_stop(camera, view, x, y)[..., None]
    seen = _optics(lit * inside, camera, view) + np.float32(camera.black) * (1 - inside)
    seen = seen + _grain(rng, camera, view) * np.sqrt(0.3 + 0.7 * np.clip(seen, 0, 1) / 0.4) * (0.15 + 0.85 * inside)
    out: Array = np.rint(np.clip(seen, 0, 1) * 255).astype(np.float32) / np.float32(255)
    return out


def _shoulder(light: Array) -> Array:
    """Leave the tones below 0.8 alone and press those above towards 1."""
    over = np.maximum(light - np.float32(0.8), 0)
    out: Array = np.minimum(light, np.float32(0.8)) + np.float32(0.2) * np.tanh(over / np.float32(0.22))
    return out


def _illumination(rng: np.random.Generator, camera: Camera, view: View, x: Array, y: Array) -> Array:
    squared = x * x + y * y
    gain, hot_x, hot_y = camera.hot
    log = -camera.vignette * (0.75 * squared + 0.25 * squared * squared) + camera.vignette * 0.35
    log = log + gain * (np.exp(-((x - hot_x) ** 2 + (y - hot_y) ** 2) / np.float32(0.25)) - 0.4)
    log = log + camera.tilt[0] * x + camera.tilt[1] * y + np.float32(0.03) * smooth_field(rng, view.size, 2)
    out: Array = np.exp(log).astype(np.float32)
    return out


def _crescent(camera: Camera, x: Array, y: Array) -> Array:
    """Stray light at one side of the field's edge: yellowish green, as in photographs through a small pupil."""
    strength, direction = camera.rim
    r = np.hypot(x, y)
    along = (x * np.float32(np.cos(direction)) + y * np.float32(np.sin(direction))) / np.maximum(r, np.float32(1e-3))
    glow = strength * np.exp((np.minimum(r, 1) - 1) / np.float32(0.11)) * np.clip(along, 0, 1)
    return (glow[..., None] * np.array([0.5, 1.0, 0.55], np.float32)).astype(np.float32, copy=False)


def _field_stop(camera: Camera, view: View, x: Array, y: Array) -> Array:
    """1 within the circle (less the cropped rows, plus the tab), 0 outside, with a soft edge."""
    edge = np.float32(camera.edge_px * view.size / 512)
    distance = (1 - np.hypot(x, y)) * np.float32(view.radius_px)
    if camera.tab:
        away = np.hypot(x - np.float32(0.715), y + np.float32(0.715)) * np.float32(view.radius_px)
        distance = np.maximum(distance, np.float32(0.055 * view.radius_px) - away)
    for sign, crop in zip((1, -1), view.crop_px, strict=True):
        distance = np.minimum(distance, (1 + sign * y) * np.float32(view.radius_px) - np.float32(crop))
    return (1 / (1 + np.exp(-np.clip(distance / edge, -30, 30)))).astype(np.float32)


def _optics(image: Array, camera: Camera, view: View) -> Array:
    import cv2

    scale = view.size / 512
    across, down = camera.blur_px
    core = cv2.GaussianBlur(image, (0, 0), across * scale, sigmaY=down * scale, borderType=cv2.BORDER_REPLICATE)
    skirt = cv2.GaussianBlur(core, (0, 0), 4.0 * scale, borderType=cv2.BORDER_REPLICATE)
    out: Array = (1 - camera.halo) * core + camera.halo * skirt
    return out


def _grain(rng: np.random.Generator, camera: Camera, view: View) -> Array:
    """Noise (size, size, 3) of the camera's standard deviation, smoothed, partly shared by the colours."""
    import cv2

    own = rng.standard_normal((view.size, view.size, 3), dtype=np.float32)
    shared = rng.standard_normal((view.size, view.size, 1), dtype=np.float32)
    mixed = own * np.float32(0.6) + shared * np.float32(0.8)
    noise = cv2.GaussianBlur(mixed, (0, 0), camera.grain_px * view.size / 512)
    out: Array = noise * np.float32(camera.noise / noise.std())
    return out
