"""Put the network of a run of +experiment=schuler2016 into the package, as pipeline/weights/quotient<side>.safetensors.

    python experiments/schuler2016/ship_quotient.py CHECKPOINT

The checkpoint is ``stages/train_kernel/best.ckpt`` of a run, finished or not; weights are rounded to half
precision. How they were made is for the model card beside the file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from omegaconf import OmegaConf

from blurlab.learning import load_net
from blurlab.pipeline.shipped import SHIPPED, save_nets
from blurlab.run.setup.build import build


def main() -> None:
    """Read a checkpoint and the configuration of its run, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="stages/train_kernel/best.ckpt of a run")
    parser.add_argument("--output", type=Path, help="by default the package's quotient<side>.safetensors")
    args = parser.parse_args()
    cfg = OmegaConf.load(args.checkpoint.parents[2] / ".hydra" / "config.yaml")
    side = build(cfg.blur).size
    net = load_net(build(cfg.head, num_classes=side**2), args.checkpoint)
    output = args.output or SHIPPED / f"quotient{side}.safetensors"
    save_nets({"kernel": net}, output, {"experiment": str(cfg.run.experiment), "seed": str(cfg.run.seed)})
    print(f"{output}: {sum(one.numel() for one in net.parameters())} weights, {net.in_use.tolist()} stages in use")


if __name__ == "__main__":
    main()
