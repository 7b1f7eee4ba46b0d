"""Put the network of a finished run of +experiment=photograph into the package.

    python experiments/schuler2016/ship.py RUN    # writes blurlab/pipeline/weights/photograph.safetensors

The run's network, its weights rounded to half precision, and the calibration of its answers. How they were made is for
the model card beside the file, and in the run's record.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from blurlab.pipeline.shipped import SHIPPED, save_nets
from blurlab.run.stage.load import load_run


def main() -> None:
    """Read a run, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="directory of a finished run")
    parser.add_argument("--output", type=Path, default=SHIPPED / "photograph.safetensors")
    args = parser.parse_args()
    record = json.loads((args.run / "record.json").read_text())
    facts = {key: str(record[key]) for key in ("experiment", "variant", "budget", "seed", "git", "created")}
    args.output.parent.mkdir(parents=True, exist_ok=True)
    save_nets(load_run(args.run).pipeline.nets, args.output, facts)
    print(args.output)


if __name__ == "__main__":
    main()
