"""Networks that come with the package, with the calibration of what they say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from blurlab.core.atomic import replace_whole
from blurlab.core.fetched import fetched

SHIPPED = Path(__file__).parent / "weights"
"""Weights that come with the package, each with a model card of the same name."""


def save_nets(nets: Mapping[str, nn.Module], path: Path, facts: Mapping[str, str]) -> None:
    """Write networks into one safetensors file, each tensor as ``<name of the net>/<name of the tensor>``.

    Weights are rounded to half precision; whole numbers, and what a calibration holds, are kept as they are.

    Args:
        nets: By name.
        path: The file.
        facts: Plain words on how they were made.
    """
    state = {
        f"{name}/{key}": value.detach().cpu().to(torch.float16 if value.numel() > 64 else value.dtype).contiguous()
        for name, net in nets.items()
        for key, value in net.state_dict().items()
    }
    with replace_whole(path) as file:
        file.write(save(state, metadata=dict(facts)))


def load_nets(weights: str) -> dict[str, dict[str, Tensor]]:
    """The tensors of each network in a file of :func:`save_nets`, by the networks' names.

    Args:
        weights: A file of the package's ``pipeline/weights`` by its name, the path of another, or its address with its
            SHA-256 (:func:`~blurlab.core.fetched.fetched`).

    Raises:
        FileNotFoundError: If there is none.
        OSError: If it cannot be fetched.
        ValueError: If it is damaged, or not the one that was asked for.
    """
    shipped = SHIPPED / f"{weights}.safetensors"
    path = shipped if shipped.is_file() else fetched(weights) or Path(weights)
    if not path.is_file():
        names = ", ".join(sorted(one.stem for one in SHIPPED.glob("*.safetensors"))) or "none"
        raise FileNotFoundError(
            f"no weights {weights!r}: neither a file nor one of {names}; use one of these or a file"
        )
    try:
        state = load_file(path)
    except Exception as error:  # safetensors has errors of its own
        raise ValueError(f"{path} cannot be read as weights: it is damaged; name another file") from error
    found: dict[str, dict[str, Tensor]] = {}
    for key, value in state.items():
        name, slash, tensor = key.partition("/")
        if not slash:
            raise ValueError(f"{path} holds {key!r}, not a network's tensor; name a file that save_nets wrote")
        found.setdefault(name, {})[tensor] = value.float() if value.is_floating_point() else value
    return found
