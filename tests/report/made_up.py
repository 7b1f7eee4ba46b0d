"""A record with made-up figures: every number here is invented to be recognised in a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAPER = Path(__file__).parents[2] / "experiments" / "williams2017" / "published.csv"
EVIL = "<script>alert(1)</script>.png"


def made_up_record(**changes: Any) -> dict[str, Any]:
    """A valid record; ``changes`` replace its keys."""

    def entry(value: float, spread: float, n: int, unit: str = "") -> dict[str, Any]:
        return {"value": value, "low": value - spread, "high": value + spread, "n": n, "unit": unit}

    def points(first: float) -> list[dict[str, Any]]:
        values = [min(0.99, first + 0.05 * place) for place in range(9)]
        return [
            {"x": 1.25 + place, "value": v, "low": max(0.0, v - 0.09), "high": min(1.0, v + 0.05), "n": 40}
            for place, v in enumerate(values)
        ]

    record = {
        "experiment": "messidor_hier",
        "variant": "fundus_synthetic",
        "budget": "small",
        "seed": 7,
        "git": "abc1234",
        "created": "2031-01-02T03:04:05Z",
        "dataset": {"name": "fundus_synthetic", "requested": "messidor", "train": 51, "val": 13, "test": 17},
        "blur": {"_target_": "blurlab.blur.Mixture", "length_px": [1, 10]},
        "noise": {"_target_": "blurlab.noise.Gaussian", "sigma": 0.004},
        "boundary": {"data": "valid", "solver": "unknown"},
        "inverse_crime": False,
        "device": "an invented CPU",
        "versions": {"torch": "9.9.9"},
        "seconds": {"train_type": 123.4, "train_strength": 77.0, "evaluate": 12.0},
        "metrics": {
            "type_accuracy/compact": entry(0.911, 0.012, 612),
            "type_accuracy/lenet": entry(0.822, 0.022, 612),
            "accuracy_clean": entry(0.995, 0.003, 204),
            "length_mae_px": entry(0.123, 0.01, 204, "px"),
            "isnr_oracle": entry(7.11, 0.2, 408, "dB"),
            "isnr_estimated": entry(6.66, 0.25, 408, "dB"),
            "isnr_map": entry(6.22, 0.25, 408, "dB"),
            "isnr_one_longer": entry(-3.33, 0.5, 388, "dB"),
            "isnr_loss": entry(0.46, 0.03, 408, "dB"),
            "isnr_loss_one_longer": entry(9.87, 0.6, 388, "dB"),
            "isnr_one_shorter": entry(1.44, 0.4, 408, "dB"),
            "classify_ms": {"value": 3.21, "unit": "ms"},
        },
        "published": {
            "type_accuracy": {"value": 0.9589, "source": "Williams2017 section 3"},
            "accuracy_clean": {"value": 1.0, "text": "1.00", "source": "Williams2017 section 3"},
            "accuracy_motion": {"value": 0.887, "source": "Williams2017 section 3"},
        },
        "limit": {"type_accuracy": {"value": 0.977, "how": "an invented ceiling"}},
        "confusion": {
            "type": {"labels": ["none", "defocus", "motion"], "matrix": [[203, 1, 0], [4, 190, 10], [31, 9, 164]]},
            "strength/motion": {"labels": ["4", "6"], "matrix": [[33, 3], [4, 30]]},
        },
        "curves": {
            "type_accuracy/motion": {"x_name": "strength_px", "points": points(0.55)},
            "type_accuracy/defocus": {"x_name": "strength_px", "points": points(0.7)},
            "limit_type_accuracy/motion": {
                "x_name": "strength_px",
                "points": [{"x": p["x"], "value": min(1.0, p["value"] + 0.04)} for p in points(0.6)],
            },
        },
        "error_propagation": [
            {"kind": "motion", "strength_px": 4, "n": 9, "isnr_oracle": 6.1, "isnr_estimated": 5.9, "isnr_map": 5.5},
            {"kind": "motion", "strength_px": 6, "n": 8, "isnr_oracle": 7.2, "isnr_estimated": -0.3, "isnr_map": None},
        ],
        "skipped": [[EVIL, "not a picture"]],
        "notes": ["invented for a test"],
        "config": {"run": {"seed": 7}},
    }
    return {**record, **changes}


def with_examples(record: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The record with one example whose pictures are written into ``folder``; the oracle's is missing."""
    from PIL import Image

    (folder / "examples").mkdir(parents=True, exist_ok=True)
    for shade, name in enumerate(("sharp", "blurred", "estimated")):
        Image.new("L", (24, 17), 60 * shade + 40).save(folder / "examples" / f"0_{name}.png")
    example = {
        "title": "motion 6.3 px",
        "estimated": "motion 6.2 px",
        "photo": EVIL,
        "sharp": "examples/0_sharp.png",
        "blurred": "examples/0_blurred.png",
        "oracle": "../outside.png",
        "estimated_image": "examples/0_estimated.png",
        "isnr_oracle": 7.1,
        "isnr_estimated": -0.4,
        "ssim_blurred": 0.71,
        "ssim_estimated": 0.91,
    }
    return {**record, "examples": [example]}


def paper_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "williams2017"
    (folder / "results" / "small").mkdir(parents=True)
    (folder / "published.csv").write_bytes(PAPER.read_bytes())
    taps = made_up_record(
        experiment="messidor_binary", variant="drive.taps10", blur={"taps": 10}, published={}, limit={}, confusion={},
        metrics={"binary_accuracy": {"value": 0.9012, "low": 0.89, "high": 0.91, "n": 77}},
    )  # fmt: skip
    for name, record in (("messidor_hier.a|b", made_up_record(variant="a|b")), ("messidor_binary.taps10", taps)):
        (folder / "results" / "small" / f"{name}.json").write_text(json.dumps(record))
    return folder
