"""A network's weights on disk."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from blurlab.core.atomic import replace_whole


def save_weights(
    net: nn.Module, path: Path, facts: dict[str, str] | None = None, dtype: torch.dtype | None = None
) -> None:
    """Write a network's weights and buffers as a ``.safetensors`` file, whole or not at all.

    Args:
        net: The network, on any device.
        path: The file to make or replace; its folder must exist.
        facts: What is to be known of their making; part of the file.
        dtype: What they are rounded to, half precision for a file that is handed on; None leaves them as they are.

    Raises:
        OSError: If the file cannot be made; an older one stays as it was.
    """
    from safetensors.torch import save

    state = {name: value.detach().cpu() for name, value in net.state_dict().items()}
    state = {name: (value if dtype is None else value.to(dtype)).contiguous() for name, value in state.items()}
    with replace_whole(path) as file:
        file.write(save(state, metadata=facts))


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors`` file by name, floating-point ones in single precision.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is damaged.
    """
    from safetensors.torch import load_file

    if not Path(path).is_file():
        raise FileNotFoundError(2, "no such file of weights", str(path))
    try:
        found = load_file(path)
    except Exception as error:  # safetensors has errors of its own
        raise ValueError(f"{path} cannot be read as weights: it is damaged; name another file") from error
    return {name: value.float() if value.is_floating_point() else value for name, value in found.items()}
