"""Stacks of a microscope: TIFF, ImageJ's TIFF and OME-TIFF, with the size of a pixel where the file says it."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from blurlab.core.file_names import readable
from blurlab.core.image_io import ImageReadError, put_image

SUFFIXES = (".tif", ".tiff")
NANOMETRES = {
    "nm": 1.0, "nanometer": 1.0, "nanometre": 1.0, "µm": 1e3, "μm": 1e3, "um": 1e3, "micron": 1e3, "microns": 1e3,
    "micrometer": 1e3, "micrometre": 1e3, "\\u00b5m": 1e3, "mm": 1e6, "cm": 1e7, "m": 1e9,
}  # fmt: skip
"""A unit of length in nanometres."""
INCH, CENTIMETRE = 2, 3
PER_UNIT = {INCH: 2.54e7, CENTIMETRE: 1e7}
"""Nanometres of TIFF's own units of resolution."""
LARGEST_NM = 20_000.0
"""A larger pixel is that of a print (72 dots per inch), not of a specimen."""
UNEVEN = 0.01
"""Share by which a pixel's sides may differ."""


@dataclass(frozen=True)
class Stack:
    """Planes of one channel.

    Attributes:
        planes: (n, H, W), the file's own samples.
        axes: Letters of the file's axes, such as ``ZYX`` (tifffile's), without that of the channel.
        shape: Their lengths.
        pixel_nm: Side of a pixel, nm; None where the file does not say it.
        kind: ``ome``, ``imagej`` or ``plain``.
        spacing_um: Distance of the planes, micrometres; None where it is not known.
    """

    planes: NDArray[Any]
    axes: str
    shape: tuple[int, ...]
    pixel_nm: float | None
    kind: str
    spacing_um: float | None = None


def read_stack(path: Path, channel: int | None = None) -> Stack:
    """Read a picture or stack of unsigned integers or floats.

    Args:
        path: A TIFF file.
        channel: Which channel, from 1, where it has several.

    Raises:
        ImageReadError: If it is no such file, or has several channels or colours of which none was named.
    """
    import tifffile

    name = readable(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ImageReadError(f"{name}: a microscope's image must be a TIFF file; save it as .tif or .ome.tif")
    try:
        with tifffile.TiffFile(path) as file:
            if not file.series:
                raise ImageReadError(f"{name} cannot be read: it holds no image; fetch it again")
            if len(file.series) != 1:
                raise ImageReadError(f"{name} holds {len(file.series)} images of their own; save one of them by itself")
            series = file.series[0]
            axes, samples = series.axes, np.asarray(series.asarray())
            pixel_nm, spacing_um = _scale(file)
            kind = "ome" if file.is_ome else "imagej" if file.is_imagej else "plain"
    except FileNotFoundError:
        raise ImageReadError(f"{name} does not exist; check the path") from None
    except ImageReadError:
        raise
    except Exception as error:  # decoders answer bad bytes with errors of every kind
        raise ImageReadError(f"{name} cannot be read: {' '.join(str(error).split())[:120]}") from error
    axes, samples = _one_channel(name, axes, samples, channel)
    _check_samples(name, samples)
    planes = samples.reshape(-1, *samples.shape[-2:])
    return Stack(planes, axes, samples.shape, pixel_nm, kind, spacing_um)


def write_stack(path: Path, like: Stack, planes: NDArray[Any]) -> Path:
    """Write planes (n, H, W) as a file of the kind, axes, sample type and pixel size of another; whole or not at all.

    Integers are rounded and held to their range.

    Raises:
        ImageWriteError: If the file cannot be made there.
    """
    import tifffile

    kind = like.planes.dtype
    values = planes
    if kind.kind == "u":
        values = np.rint(planes).clip(0, np.iinfo(kind).max)
    values = values.astype(kind).reshape(like.shape)
    made, axes = io.BytesIO(), like.axes
    common: dict[str, Any] = {"photometric": "minisblack"}
    pixel_um = None if like.pixel_nm is None else like.pixel_nm / 1e3
    if like.kind == "ome":
        metadata: dict[str, Any] = {"axes": axes}
        if pixel_um is not None:
            metadata |= {f"PhysicalSize{axis}": pixel_um for axis in "XY"}
            metadata |= {f"PhysicalSize{axis}Unit": "µm" for axis in "XY"}
        if like.spacing_um is not None and "Z" in axes:
            metadata |= {"PhysicalSizeZ": like.spacing_um, "PhysicalSizeZUnit": "µm"}
        tifffile.imwrite(made, values, ome=True, metadata=metadata, **common)
    elif like.kind == "imagej" and values.dtype.name in ("uint8", "uint16", "float32"):
        known = axes if not {*axes} - {*"TZYX"} else "ZYX"[-min(values.ndim, 3) :]
        metadata = {"axes": known} if pixel_um is None else {"axes": known, "unit": "um"}
        metadata |= {} if like.spacing_um is None else {"spacing": like.spacing_um}
        resolution = None if pixel_um is None else (1 / pixel_um, 1 / pixel_um)
        values = values if len(known) == values.ndim else values.reshape(-1, *values.shape[-2:])
        tifffile.imwrite(made, values, imagej=True, resolution=resolution, metadata=metadata, **common)
    else:
        per_cm = None if pixel_um is None else (1e4 / pixel_um, 1e4 / pixel_um)
        metadata = {"axes": axes} if values.ndim > 2 else {}
        tifffile.imwrite(
            made, values, resolution=per_cm, resolutionunit=None if per_cm is None else "CENTIMETER",
            metadata=metadata or None, **common,
        )  # fmt: skip
    put_image(path, made.getvalue())
    return path


def write_kernels(path: Path, kernels: NDArray[Any], pixel_nm: float) -> Path:
    """Write kernels (..., k, k) as a TIFF file in single precision, with the size of their pixels."""
    flat = kernels.astype(np.float32).reshape(-1, *kernels.shape[-2:])
    axes = "YX" if len(flat) == 1 else "QYX"
    values = flat[0] if len(flat) == 1 else flat
    return write_stack(path, Stack(flat, axes, values.shape, pixel_nm, "plain"), flat)


def with_pixel(stack: Stack, pixel_nm: float) -> Stack:
    """The same, its pixels of another size."""
    return replace(stack, pixel_nm=pixel_nm)


def _one_channel(name: str, axes: str, samples: NDArray[Any], channel: int | None) -> tuple[str, NDArray[Any]]:
    """Axes and samples of one channel, rows and columns last."""
    if channel not in (None, 1) and not {"S", "C"} & {*axes}:
        raise ImageReadError(f"{name} has one channel, so --channel must be 1, got {channel}")
    for letter, what in (("S", "colours"), ("C", "channels")):
        if letter not in axes:
            continue
        place = axes.index(letter)
        count = samples.shape[place]
        if count > 1 and channel is None:
            raise ImageReadError(
                f"{name} has {count} {what}, and --wavelength is that of one; name it by --channel, from 1 to {count}"
            )
        if channel is not None and not 1 <= channel <= count:
            raise ImageReadError(f"{name} has {count} {what}, so --channel must be from 1 to {count}, got {channel}")
        samples, axes = samples.take((channel or 1) - 1, axis=place), axes.replace(letter, "", 1)
    if not axes.endswith("YX") or samples.ndim < 2 or 0 in samples.shape:
        raise ImageReadError(f"{name} has the axes {axes} of {samples.shape}; rows and columns must be the last two")
    return axes, samples


def _check_samples(name: str, samples: NDArray[Any]) -> None:
    if samples.dtype.kind not in "uf":
        raise ImageReadError(f"{name} holds {samples.dtype} samples; save it as unsigned integers or floats")
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        raise ImageReadError(f"{name} holds NaN or infinite values; replace them")
    if samples.min() == samples.max():
        raise ImageReadError(f"{name} is constant; its blur cannot be told")


def _scale(file: Any) -> tuple[float | None, float | None]:
    """Side of a pixel in nm and distance of the planes in micrometres, where the file says them."""
    if file.is_ome:
        return _ome_scale(file.ome_metadata)
    page = file.pages[0]
    per = [_ratio(page.tags.get(code)) for code in (282, 283)]  # XResolution, YResolution
    if file.is_imagej:
        known = file.imagej_metadata or {}
        unit = NANOMETRES.get(str(known.get("unit", "")).lower())
        spacing = known.get("spacing")
        planes = None if spacing is None or unit is None else float(spacing) * unit / 1e3
        return (None if unit is None else _square([unit / one for one in per if one])), planes
    unit = PER_UNIT.get(int(getattr(page.tags.get(296), "value", 0) or 0))
    return (None if unit is None else _square([unit / one for one in per if one])), None


def _ome_scale(xml: str) -> tuple[float | None, float | None]:
    try:
        pixels = next(one for one in ElementTree.fromstring(xml).iter() if one.tag.endswith("}Pixels"))
    except (ElementTree.ParseError, StopIteration):
        return None, None
    sizes: dict[str, float] = {}
    for axis in "XYZ":
        value, unit = pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")
        if value is not None and unit.lower() in NANOMETRES:
            sizes[axis] = float(value) * NANOMETRES[unit.lower()]
    return _square([sizes[axis] for axis in "XY" if axis in sizes]), sizes["Z"] / 1e3 if "Z" in sizes else None


def _square(sides: list[float]) -> float | None:
    """The side of a pixel, nm; None where its sides are not known, differ, or are those of a print."""
    known = sides and min(sides) > 0 and max(sides) <= min(LARGEST_NM, (1 + UNEVEN) * min(sides))
    return sides[0] if known else None


def _ratio(tag: Any) -> float:
    """Pixels a unit; 0 where it is not known."""
    if tag is None:
        return 0.0
    top, bottom = tag.value
    return float(top) / float(bottom) if bottom else 0.0
