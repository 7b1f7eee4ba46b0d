"""One run: build the parts, say what will happen, do the stages, leave a record."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console

from blurlab.core.image_io import ImageReadError
from blurlab.run.build import build
from blurlab.run.context import Context, make_context
from blurlab.run.errors import UsageError
from blurlab.run.estimate import say_plan
from blurlab.run.logging import close, log_results
from blurlab.run.record import keep_record, write_record


def job(cfg: DictConfig) -> None:
    """One job of Hydra's; every user error ends it with one line and exit code 2."""
    console = Console(stderr=False, soft_wrap=True)
    run_dir = Path(HydraConfig.get().runtime.output_dir)
    try:
        run(cfg, run_dir, console)
    except KeyboardInterrupt:
        console.print(f"\nstopped; go on with: python -m blurlab run.resume={run_dir}")
        sys.exit(130)
    except (UsageError, ImageReadError, ValueError, FileNotFoundError, PermissionError) as error:
        if not any(run_dir.glob("stages/*")):
            shutil.rmtree(run_dir, ignore_errors=True)
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)


def run(cfg: DictConfig, run_dir: Path, console: Console) -> Path:
    """Do one run.

    Args:
        cfg: A checked configuration.
        run_dir: Where everything goes; stages finished there are not run again.
        console: Where to talk to the user.

    Returns:
        Path of the record.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    context = make_context(cfg, run_dir, console)
    try:
        say_plan(context)
        for name in cfg.stage:
            build(cfg.stage[name])(context)
            record = write_record(context)
        log_run(context)
        if cfg.run.keep:
            context.console.print(f"kept {keep_record(context)}")
        return record
    finally:
        close(context.logger)


def log_run(context: Context) -> None:
    """Send the final figures, confusion matrices and pictures to the logger, under the names of the field."""
    from blurlab.core.image_io import read_image

    metrics = {name: entry["value"] for name, entry in context.record.get("metrics", {}).items()}
    if metrics:
        headline = next(iter(metrics))
        metrics |= {"accuracy": metrics[headline]}
        metrics |= {
            name.upper(): metrics[f"{name}_estimated"] for name in ("isnr", "ssim") if f"{name}_estimated" in metrics
        }
    pictures = {
        f"{number}/{key}": read_image(context.dir / example[key])
        for number, example in enumerate(context.record.get("examples", []))
        for key in ("sharp", "blurred", "oracle", "estimated_image")
    }
    log_results(context.logger, metrics, context.record.get("confusion"), pictures)
