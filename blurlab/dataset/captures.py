"""Sets of which each photograph was also taken blurred."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from blurlab.dataset.source import Source


class Captures(Source):
    """Sharp photographs and, of each, the same picture taken through known kernels: blur and noise are the camera's."""

    @abstractmethod
    def kernels(self, photo_id: str) -> list[str]:
        """Names of the kernels that the photograph was taken through, sorted."""

    @abstractmethod
    def observed(self, photo_id: str, kernel: str) -> NDArray[np.float32]:
        """The photograph as it was taken through a kernel, (H, W, 1 or 3) float32 in [0, 1], aligned with the sharp one.

        Raises:
            ImageReadError: If the file is no whole image.
        """
