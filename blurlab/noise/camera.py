"""What a camera makes of a blurred scene: from light to the file."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from blurlab.core.checks import check_images
from blurlab.noise.base import NoiseModel
from blurlab.noise.draw import Generators
from blurlab.noise.rendering import Rendering
from blurlab.noise.response import Encode, Response


class Camera(NoiseModel):
    """A photograph is decoded to light, which is blurred; then come the sensor, the response curve and the file.

    The sharp image that belongs to a picture went through the same :class:`Rendering` steps (exposure, curve, tones,
    sharpening) with the same settings, and through nothing else. sigma is the root mean square of what the other steps
    changed: noise, demosaicing, rounding and the codec together, in the values of the file.

    Args:
        response: The curve between light and the values of a file, both ways.
        light: Steps on light, in their order: :class:`~blurlab.noise.Exposure`, :class:`~blurlab.noise.Bayer`, noise.
        file: Steps on the values of the file: tones, sharpening, rounding, :class:`~blurlab.noise.Jpeg`.

    Raises:
        TypeError: If a step is no noise model.
        ValueError: If a step is a camera itself.

    Example:
        >>> import torch
        >>> from blurlab.noise import Exposure, Quantise, Srgb
        >>> camera = Camera(Srgb(), [Exposure(2.0)], [Quantise()])
        >>> sharp = torch.full((1, 1, 1, 2), 0.5)
        >>> y, x, _ = camera.photograph(camera.scene(sharp), camera.scene(sharp), generator=torch.Generator())
        >>> x.flatten(), (255 * y).flatten()
        (tensor([0.6858, 0.6858]), tensor([175., 175.]))
    """

    blurs_light = True

    def __init__(self, response: Response, light: Sequence[NoiseModel] = (), file: Sequence[NoiseModel] = ()) -> None:
        if not isinstance(response, Response):
            raise TypeError(f"response must be a curve, got {type(response).__name__}; use Srgb() or Power(2.2)")
        for step in (*light, *file):
            if not isinstance(step, NoiseModel):
                raise TypeError(f"a step of a camera is a noise model, got {type(step).__name__}; pass objects")
            if step.blurs_light:
                raise ValueError("a camera cannot be a step of another camera; put its steps in the outer one")
        self.response = response
        self.steps = (*light, Encode(response), *file)

    def scene(self, sharp: Tensor) -> Tensor:
        """The light that sharp photographs stand for."""
        return self.response.decode(sharp)

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Pictures of these photographs, blurred already, and their noise level; see :class:`NoiseModel`."""
        check_images(x, "x")
        light = self.scene(x)
        y, _, sigma = self.photograph(light, light, generator=generator)
        return y, sigma

    def seen(self, blurred: Tensor, *, generator: Generators) -> Tensor:
        """As of any noise model, in less than half of the time: nothing is rendered but what is observed."""
        check_images(blurred, "blurred")
        for step in self.steps:
            blurred, _ = step(blurred, generator=generator)
        return blurred

    def photograph(self, blurred: Tensor, sharp: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures of blurred light and of the sharp light, these without faults, and the level of the faults."""
        check_images(blurred, "blurred")
        y, clean, ideal = blurred, blurred, sharp
        for step in self.steps:
            if isinstance(step, Rendering):
                settings = step.draw(y, generator=generator)
                y, clean, ideal = (step.render(image, settings) for image in (y, clean, ideal))
            else:
                y, _ = step(y, generator=generator)
        clean, ideal = clean.clamp(0, 1), ideal.clamp(0, 1)
        return y, ideal, (y - clean).flatten(1).square().mean(1).sqrt()
