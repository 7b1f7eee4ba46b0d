"""Take the network of a run of +experiment=deepblur2024 out of its checkpoint, for `pipeline=aberrations_alone`.

    python experiments/deepblur2024/take_network.py RUN/stages/train_aberrations/best.ckpt OUT.safetensors

Then, with OUT as the weights, `+experiment=zernike pipeline=aberrations_alone pipeline.weights=OUT` measures it on
images of any size. The run may be unfinished; weights are rounded to half precision.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from omegaconf import OmegaConf

from blurlab.head import AberrationTarget
from blurlab.learning import load_net
from blurlab.pipeline.aberrations import PROBE, TASK, Optics
from blurlab.pipeline.shipped import save_nets
from blurlab.run.setup.build import build


def main(checkpoint: Path, out: Path) -> None:
    """Read a checkpoint and the configuration of its run, write the file."""
    cfg = OmegaConf.load(checkpoint.parents[2] / ".hydra" / "config.yaml")
    family = build(cfg.blur)
    net = load_net(build(cfg.head, num_classes=len(AberrationTarget(family))), checkpoint)
    save_nets(
        {TASK: net, PROBE: Optics(family)}, out, {"experiment": str(cfg.run.experiment), "seed": str(cfg.run.seed)}
    )
    print(f"{out}: {sum(one.numel() for one in net.parameters())} weights of {type(net).__name__}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="stages/train_aberrations/best.ckpt of a run")
    parser.add_argument("out", type=Path)
    main(**vars(parser.parse_args()))
