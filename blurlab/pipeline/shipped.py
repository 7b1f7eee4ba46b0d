"""Networks that come with the package, with the calibration of what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import torch
from safetensors import safe_open
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


def load_nets(weights: str, needed: Sequence[str] = ()) -> dict[str, dict[str, Tensor]]:
    """The tensors of each network in a file of :func:`save_nets`, by the networks' names.

    Args:
        weights: A file of the package's ``pipeline/weights`` by its name, the path of another, or its address with its
            SHA-256 (:func:`~blurlab.core.fetched.fetched`).
        needed: Names of the networks that it is to hold.

    Raises:
        FileNotFoundError: If there is none; those of the package are named that hold what is needed.
        OSError: If it cannot be fetched.
        ValueError: If it is damaged, not the one that was asked for, or lacks a network that is needed.
    """
    shipped = SHIPPED / f"{weights}.safetensors"
    path = shipped if shipped.is_file() else fetched(weights) or Path(weights)
    if not path.is_file():
        raise FileNotFoundError(
            f"no weights {weights!r}: neither a file nor one of {', '.join(names := _that_hold(needed))}"
            + "".join(f"; did you mean {one!r}?" for one in get_close_matches(weights, names, n=1, cutoff=0.5))
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
    if not {*needed} <= {*found}:
        raise ValueError(
            f"{weights} holds another network; use one of {', '.join(_that_hold(needed))}, or another file"
        )
    return found


def _that_hold(needed: Sequence[str]) -> list[str]:
    """The package's weights that hold networks of these names."""
    names = []
    for path in sorted(SHIPPED.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            if {*needed} <= {key.partition("/")[0] for key in file.keys()}:  # noqa: SIM118
                names.append(path.stem)
    return names
