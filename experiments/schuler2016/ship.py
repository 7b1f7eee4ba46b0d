"""Put the network of a finished run of +experiment=photograph or +experiment=fundus into the package.

    python experiments/schuler2016/ship.py RUN [--mix WEIGHTS] [--temperature T]    # pipeline/weights/photograph
    python experiments/schuler2016/ship.py RUN --last --temperature T --output FILE    # pipeline/weights/fundus

The run's network, its weights rounded to half precision, and the calibration of its answers. How they were made is for
the model card beside the file, and in the run's record.

With ``--mix`` each number is the mean of the run's and of that in a file of weights that the run started from: such a
mean keeps what the training took away from the start and most of what it added [Wortsman2022].

The run's temperature is that of answers from one size of a photograph. ``--temperature`` replaces it by that of the
surest of several sizes, as ``temperature.py`` measures it. ``--last`` takes the network of the last epoch in the place
of that of least validation loss, where the photographs to validate on are few.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from blurlab.learning import LAST, load_net
from blurlab.pipeline.calibration import PosteriorCalibration
from blurlab.pipeline.regression import SCALE
from blurlab.pipeline.shipped import SHIPPED, load_nets, save_nets
from blurlab.run.stage.load import load_run


def mix(nets: Mapping[str, nn.Module], start: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Put the mean of a network's numbers and of those that it started from into each network."""
    for name, net in nets.items():
        own = net.state_dict()
        means = {key: (own[key] + value) / 2 for key, value in start[name].items() if value.is_floating_point()}
        net.load_state_dict({**own, **means})


def main() -> None:
    """Read a run, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="directory of a finished run")
    parser.add_argument("--mix", help="weights that the run started from: a file, or a name of the package's")
    parser.add_argument("--last", action="store_true", help="the network of the last epoch")
    parser.add_argument("--temperature", type=float, help="of the kinds' probabilities; default: the run's")
    parser.add_argument("--output", type=Path, default=SHIPPED / "photograph.safetensors")
    args = parser.parse_args()
    record = json.loads((args.run / "record.json").read_text())
    facts = {key: str(record[key]) for key in ("experiment", "variant", "budget", "seed", "git", "created")}
    args.output.parent.mkdir(parents=True, exist_ok=True)
    nets = load_run(args.run).pipeline.nets
    if args.last:
        facts["epoch"] = "last"
        for name in nets.keys() - {SCALE}:
            load_net(nets[name], args.run / "stages" / f"train_{name}" / LAST)
    if args.mix is not None:
        mix(nets, load_nets(args.mix))
        facts["mixed_with"] = Path(args.mix).stem
    if args.temperature is not None:
        scale = nets[SCALE]
        assert isinstance(scale, PosteriorCalibration)
        scale.temperature.fill_(args.temperature)
        facts["temperature"] = f"{args.temperature:g}"
    save_nets(nets, args.output, facts)
    print(args.output)


if __name__ == "__main__":
    main()
