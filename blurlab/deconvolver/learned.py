"""A deconvolver whose image comes from a trained network."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from blurlab.core.checks import is_flat
from blurlab.core.fetched import fetched
from blurlab.deconvolver.base import Deconvolver, Restored, check_count
from blurlab.physics import LinearOperator

SHIPPED = Path(__file__).parent / "weights"
"""Weights that come with the package, each with a model card of the same name."""


class Learned(Deconvolver):
    """A network (y, psf, sigma) -> image, restored images in float32.

    Args:
        net: (B, C, H, W), (B, 1, k, k), (B, 1, 1, 1) -> (B, C, H, W); its ``boundary`` says what it assumes, and its
            ``takes``, where it has one, which operators it is given in place of kernels, ``has_gradient`` whether one
            reaches y and the kernels.
        weights: A file of the package's ``deconvolver/weights`` by its name, or the path of another ``.safetensors``
            file or of a training's ``.ckpt``; None takes the network as it is, to be trained.
        views: How many of the eight quarter turns and reflections of an image are restored and averaged, 1 to 8: the
            geometric self-ensemble [Zhang2022], in as many times the time.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file cannot be read, or holds another network.
    """

    upper = 1.0
    trained: bool
    """Was the network given weights?"""

    def __init__(self, net: nn.Module, weights: str | None = None, views: int = 1) -> None:
        check_count("views", views, 1, 8)
        self.views = views
        self.trained = weights is not None
        self.boundary = str(getattr(net, "boundary", self.boundary))
        self.estimates_outside = self.boundary == "unknown"
        self.takes = tuple(getattr(net, "takes", ()))
        self.has_gradient = bool(getattr(net, "has_gradient", False))
        self.net = (net if weights is None else load_weights(net, weights)).eval()

    def restore(self, y: Tensor, blur: Tensor | LinearOperator, sigma: Tensor) -> Restored:
        """A pass of the network for each view; no history. What is constant, or all but saturated, stays as it is."""
        net, image = self.net.to(y.device), torch.zeros_like(y)
        for n in range(self.views):
            seen = turned(blur.float(), n) if isinstance(blur, Tensor) else Turned(blur.to(y.float()), n)
            image += unturned(net(turned(y.float(), n), seen, sigma.float()), n).to(y.dtype)
        return Restored(torch.where(is_flat(y)[:, None, None, None], y, image / self.views))


class Turned(LinearOperator):
    """The operator of images that lie another way: :func:`turned` after it, undone before it.

    Args:
        operator: That of the images as they are.
        view: Which of the eight ways.
    """

    def __init__(self, operator: LinearOperator, view: int) -> None:
        self.operator, self.view = operator, view

    def forward(self, x: Tensor) -> Tensor:
        """A x."""
        return turned(self.operator.A(unturned(x, self.view)), self.view)

    def adjoint(self, y: Tensor) -> Tensor:
        """A* y."""
        return turned(self.operator.A_adjoint(unturned(y, self.view)), self.view)

    def rows(self, keep: Tensor) -> Turned:
        """The same for some of the images."""
        return Turned(self.operator.rows(keep), self.view)

    def to(self, like: Tensor) -> Turned:
        """The same in another dtype or on another device."""
        return Turned(self.operator.to(like), self.view)

    def _approximate_inverse(self, x: Tensor, weight: float | Tensor) -> Tensor:
        return turned(self.operator._approximate_inverse(unturned(x, self.view), weight), self.view)


def turned(x: Tensor, n: int) -> Tensor:
    """The n-th of the eight ways to lay an image (..., H, W): n % 4 quarter turns, from 4 on of its reflection.

    Example:
        >>> turned(torch.tensor([[1, 2], [3, 4]]), 5)
        tensor([[1, 3],
                [2, 4]])
    """
    return torch.rot90(x.flip(-1) if n >= 4 else x, n % 4, (-2, -1))


def unturned(x: Tensor, n: int) -> Tensor:
    """The inverse of :func:`turned`.

    Example:
        >>> x = torch.arange(6).reshape(2, 3)
        >>> all(torch.equal(unturned(turned(x, n), n), x) for n in range(8))
        True
    """
    back = torch.rot90(x, -(n % 4), (-2, -1))
    return back.flip(-1) if n >= 4 else back


def weights_file(weights: str) -> Path:
    """Where the weights of this name, path or address with its SHA-256 are.

    Raises:
        FileNotFoundError: If there are none; it names those that there are.
        OSError: If they cannot be fetched.
        ValueError: If what was fetched is another file.
    """
    shipped = SHIPPED / f"{weights}.safetensors"
    path = shipped if shipped.is_file() else fetched(weights) or Path(weights)
    if path.is_file():
        return path
    names = sorted(path.stem for path in SHIPPED.glob("*.safetensors"))
    raise FileNotFoundError(
        f"no weights {weights!r}: neither a file nor one of {', '.join(names)}; +experiment=train_unrolled_dr trains"
    )


def load_weights(net: nn.Module, weights: str) -> nn.Module:
    """Put weights into a network.

    Raises:
        FileNotFoundError: If there are none of this name.
        ValueError: If they are another network's, or cannot be read.
    """
    path = weights_file(weights)
    state = read_state(path)
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise ValueError(
            f"{path} holds the weights of another network; choose its options or weights=null ({said[:200]})"
        ) from error
    return net


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name; a training's checkpoint is read with ``weights_only``, so that it runs no code."""
    try:
        if path.suffix == ".ckpt":
            state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        else:
            state = load_file(path)
        return {name.removeprefix("net."): value.float() for name, value in state.items()}
    except Exception as error:  # safetensors and torch have each errors of their own
        raise ValueError(
            f"{path} cannot be read as weights: it is damaged, or holds more than tensors; name another file"
        ) from error
