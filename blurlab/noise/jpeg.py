"""What a JPEG file keeps of an image, by the codec itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from blurlab.core.checks import check_images
from blurlab.noise.base import NoiseModel
from blurlab.noise.draw import Generators, check_generators, draw_level


def jpeg(x: Tensor, quality: int | Sequence[int] = 90) -> Tensor:
    """Images as they come back from a JPEG file: clipped to [0, 1], rounded to 8 bits, encoded and decoded by libjpeg.

    Three channels are RGB, kept as a camera keeps them (colour at half the resolution, 4:2:0); with any other number
    each channel is a grey image of its own. Its gradient is not known to autograd.

    Args:
        x: Images (B, C, H, W) in [0, 1], on any device.
        quality: 1 to 100, on the scale of the Independent JPEG Group; one for all, or one an image.

    Returns:
        (B, C, H, W), multiples of 1/255, on the device of ``x`` in its type.

    Raises:
        ValueError: If a quality is not a whole number from 1 to 100, they are not as many as the images, or the images
            are not finite.

    Example:
        >>> ramp = torch.linspace(0, 1, 64).reshape(1, 1, 8, 8)
        >>> [round(float((jpeg(ramp, quality) - ramp).std()), 4) for quality in (95, 60)]
        [0.0022, 0.0045]
    """
    check_images(x, "x")
    qualities = [quality] * len(x) if isinstance(quality, int) else list(quality)
    if len(qualities) != len(x):
        raise ValueError(f"expected a quality for each of {len(x)} images, got {len(qualities)}; give one, or {len(x)}")
    for one in qualities:
        check_quality(one)
    bytes_ = (x.detach().clamp(0, 1) * 255).round().to("cpu", torch.uint8)
    if x.shape[1] == 3:
        pairs = zip(bytes_.permute(0, 2, 3, 1).numpy(), qualities, strict=True)
        back = np.stack([_through_file(image[..., ::-1], one)[..., ::-1] for image, one in pairs]).transpose(0, 3, 1, 2)
    else:
        pairs = zip(bytes_.numpy(), qualities, strict=True)
        back = np.stack([_through_file(plane, one) for image, one in pairs for plane in image]).reshape(x.shape)
    return torch.from_numpy(np.ascontiguousarray(back)).to(x) / 255


def _through_file(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """A grey (H, W) or BGR (H, W, 3) image encoded and decoded."""
    import cv2

    _, file = cv2.imencode(".jpg", np.ascontiguousarray(image), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_UNCHANGED), dtype=np.uint8)


def check_quality(quality: int) -> None:
    """Raise unless ``quality`` is a whole number from 1 to 100."""
    if not isinstance(quality, int) or not 1 <= quality <= 100:
        raise ValueError(f"quality must be a whole number from 1 to 100, got {quality}; cameras use 85 to 95")


class Jpeg(NoiseModel):
    """The loss of a JPEG file; sigma is the root mean square of what the codec changed in each image.

    That change is neither white nor independent of the image: where the codec takes away noise that was in its input,
    the joint sigma of a :class:`~blurlab.noise.Chain` is above the noise that is left.

    Args:
        quality: 1 to 100, or [low, high], of which each image draws a whole number.

    Raises:
        ValueError: If the quality is out of its range, or the range is reversed.

    Example:
        >>> ramp = torch.linspace(0, 1, 64).reshape(1, 1, 8, 8)
        >>> Jpeg(quality=60)(ramp, generator=torch.Generator())[1]
        tensor([0.0049])
    """

    def __init__(self, quality: int | Sequence[int] = 90) -> None:
        ends = tuple(quality) if isinstance(quality, Sequence) else (quality, quality)
        for end in ends:
            check_quality(end)
        if len(ends) != 2 or ends[0] > ends[1]:
            raise ValueError(f"quality must be one number or [low, high] with low <= high, got {quality}")
        self.quality = ends

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Images out of the file and what it changed. See :class:`NoiseModel`."""
        low, high = self.quality
        if low == high:
            check_generators(generator, len(x))
            y = jpeg(x, low)
        else:
            drawn = draw_level(x, low, high + 1, generator, log=False).floor().clamp_max(high)
            y = jpeg(x, [int(one) for one in drawn.tolist()])
        return y, (y - x).flatten(1).square().mean(1).sqrt()
