"""Weights of an unrolled network with more steps or inputs than the one that they are of, to train on from.

    python experiments/nonblind/more_steps.py unrolled_dr_tiny 1 2 2 3 --to four.safetensors

The numbers say from which of its steps each of the new ones is copied.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from blurlab.deconvolver.learned import read_state, weights_file
from blurlab.deconvolver.unrolled_dr import FILTERS, INPUTS

STEP = "denoisers."


def lengthened(weights: dict[str, Tensor], steps: Sequence[int]) -> dict[str, Tensor]:
    """The weights of a network whose steps are those, from 0, of the given one.

    Args:
        weights: Of an :class:`~blurlab.deconvolver.UnrolledDR`, by name.
        steps: From which step each is copied; the last step has no weight of the data, so it can be the last only.

    Raises:
        ValueError: If a step is not there.
    """
    count = len(weights["log_weight"]) + 1
    if not steps or min(steps) < 0 or max(steps) >= count or max(steps[:-1], default=0) >= count - 1:
        raise ValueError(f"steps must be 1 to {count}, and {count} the last only, got {[n + 1 for n in steps]}")
    longer = {
        f"{STEP}{new}.{name.removeprefix(f'{STEP}{old}.')}": value.clone()
        for new, old in enumerate(steps)
        for name, value in weights.items()
        if name.startswith(f"{STEP}{old}.")
    }
    for name in [name for name in longer if name.endswith(".first.weight")]:
        longer[name] = widened(longer[name])
    return longer | {name: weights[name][torch.tensor(steps[:-1])] for name in ("log_weight", "power")}


def widened(first: Tensor) -> Tensor:
    """Weights of a first convolution (out, in, 3, 3), zero for the inputs that a network of before lacks.

    Its inputs are images folded to squares, whose side is found from their number.
    """
    inputs = (3 + len(FILTERS), 3 + 2 * len(FILTERS), INPUTS)  # of networks of before, and of now
    fold = next(n for n in (1, 2, 3, 4) if first.shape[1] in (count * n * n for count in inputs))
    more = INPUTS * fold**2 - first.shape[1]
    return torch.cat([first, first.new_zeros(len(first), more, *first.shape[2:])], 1)


def main() -> None:
    """Read, copy, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", help="a name of the package's deconvolver/weights, or a .safetensors or .ckpt file")
    parser.add_argument("steps", type=int, nargs="+", help="counted from 1")
    parser.add_argument("--to", type=Path, required=True)
    args = parser.parse_args()
    try:
        longer = lengthened(read_state(weights_file(args.weights)), [n - 1 for n in args.steps])
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    save_file({name: value.contiguous() for name, value in longer.items()}, args.to)


if __name__ == "__main__":
    main()
