"""What an error in the kernel costs, over the noise and over the strength; every figure is made up."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_up import made_up_record, paper_folder

from blurlab.report import write_report_md
from blurlab.report.bounds import bounds, bounds_blocks
from blurlab.report.panels import propagation
from blurlab.report.spread import accuracy_table, side_by_side
from blurlab.run.stage.report import noise_series


def test_cost_of_a_kernel_is_the_records_own_difference_over_the_same_images() -> None:
    (table,) = propagation(made_up_record())
    shown = {line["name"]: (line["against"], line["against_interval"]) for line in table["lines"]}
    assert shown == {
        "isnr_oracle": ("", ""),
        "isnr_estimated": ("−0.46", "[−0.49, −0.43] n 408"),
        "isnr_map": ("-", ""),
        "isnr_one_longer": ("−9.87", "[−10.47, −9.27] n 388"),
        "isnr_one_shorter": ("-", ""),
    }
    metrics = {f"{name}/tv": entry for name, entry in made_up_record()["metrics"].items()}
    metrics["isnr_loss/tv"] = {"value": None}
    metrics["isnr_loss_one_longer/tv"] = {"value": -0.5}
    (table,) = propagation(made_up_record(metrics=metrics))
    against = {line["name"]: line["against"] for line in table["lines"]}
    assert against["isnr_estimated"] == "-" and against["isnr_one_longer"] == "0.50"


def at_sigma(sigma: float, *words: str, **changes: Any) -> dict[str, Any]:
    noise = {"_target_": "blurlab.noise.Gaussian", "sigma": sigma}
    common = {"noise": noise, "head": {"width": 8}, "deconvolver": {"iterations": 40}}
    words = ("budget=small", "budget.epochs=4", f"noise.sigma={sigma}", *words)
    return made_up_record(**{**common, "overrides": list(words), **changes})


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (at_sigma(0.01), True),
        (at_sigma(0.01, "run.variant=x", "run.keep=true", "paths.data_dir=y", "noise=gaussian"), True),
        (at_sigma(0.01, "budget.epochs=6"), True),
        (at_sigma(0.004), False),
        (at_sigma(0.01, seed=8), False),
        (at_sigma(0.01, deconvolver={"iterations": 80}), False),
        (at_sigma(0.01, head={"width": 16}), False),
        (at_sigma(0.01, budget="full"), False),
        (at_sigma(0.01, "budget.batch_size=10"), False),
        (at_sigma(0.01, "optimizer=sgd"), False),
        (at_sigma(0.01, noise={"_target_": "blurlab.noise.Sensor", "sigma": 0.01}), False),
        (at_sigma(0.01, noise={"_target_": "blurlab.noise.NoNoise"}), False),
    ],
)
def test_noise_series_takes_records_that_differ_in_the_sigma_only(
    other: dict[str, Any], alike: bool, tmp_path: Path
) -> None:
    record = at_sigma(0.004, paper="p")
    folder = tmp_path / "p" / "results" / "small"
    folder.mkdir(parents=True)
    (folder / "messidor_hier.other.json").write_text(json.dumps(other))
    context: Any = SimpleNamespace(cfg=SimpleNamespace(paths=SimpleNamespace(experiments_dir=tmp_path)))
    assert noise_series(record, context) == ([other] if alike else [])


def test_report_md_has_isnr_against_noise_and_by_strength(tmp_path: Path) -> None:
    folder = paper_folder(tmp_path)
    assert "Against noise" not in write_report_md(folder).read_text(encoding="utf-8")
    metrics = {**made_up_record()["metrics"], "isnr_estimated": {"value": 3.21}}
    del metrics["isnr_one_shorter"]
    other_batches = at_sigma(0.05, "budget.batch_size=9")
    for place, record in enumerate((at_sigma(0.01, metrics=metrics), at_sigma(0.004), other_batches)):
        (folder / "results" / "small" / f"messidor_hier.s{place}.json").write_text(json.dumps(record))
    text = write_report_md(folder).read_text(encoding="utf-8")
    assert text.count("### Against noise: fundus\\_synthetic, budget small") == 1
    table = text.split("### Against noise")[1].split("\n\n")[1].splitlines()
    longer = "−3.33 [−3.83, −2.83]"
    assert table[2:] == [
        f"| 0.004 | 7.11 [6.91, 7.31] | 6.66 [6.41, 6.91] | {longer} | 1.44 [1.04, 1.84] | 0.911 [0.899, 0.923] |",
        f"| 0.01 | 7.11 [6.91, 7.31] | 3.21 | {longer} | - | 0.911 [0.899, 0.923] |",
    ]
    page = (folder / "pages" / "small" / "messidor_hier.a|b.md").read_text(encoding="utf-8")
    assert "| motion | 6 | 7.20 | −0.30 | - | - | - | 8 |" in page
    assert "Wilson" in page and "limit: how" in page


def test_accuracy_by_strength_stands_beside_the_limit_of_the_same_strengths() -> None:
    points = [{"x": 1.0, "n": 4, "value": 0.5, "low": 0.2, "high": 0.8}, {"x": 5.0, "n": 9, "value": 1.0}]
    curves = {
        "type_accuracy/motion": {"x_name": "strength_px", "points": points},
        "limit_type_accuracy/motion": {"x_name": "strength_px", "points": [{"x": 1.04, "n": 2, "value": 0.75}]},
        "isnr_oracle/motion": {"x_name": "strength_px", "points": points},
    }
    words, table = accuracy_table({"curves": curves})
    lines = table.splitlines()[2:]
    assert lines == [
        "| motion | 1.00 | 0.500 [0.200, 0.800] | 4 | 0.7500 |",
        "| motion | 5.00 | 1.000 | 9 | - |",
    ]
    assert words and accuracy_table(made_up_record() | {"curves": {}}) == []


def test_each_parameter_stands_beside_its_bounds_and_the_networks_own_word() -> None:
    entry = {"metric": "radius_median_px", "value": 0.009, "n": 20, "unit": "px", "ratio": 3.0}
    entry |= {"bound": 0.003, "bound_spectrum": 0.0029, "bound_image": 0.0004}
    record = made_up_record() | {"bounds": [entry]}
    assert bounds(record) == [["radius (px)", "20", "0.009", "3.0", "0.0030", "0.0029", "0.0004", "-"]]
    record["metrics"] = {**record["metrics"], "radius_median_px/network": {"value": 0.136}}
    assert bounds(record)[0][-1] == "0.136" and "| radius (px) | 20 |" in bounds_blocks(record)[1]
    assert bounds_blocks(made_up_record()) == []
    record["bounds"] = [entry | {"metric": "radius_median_px/defocus"}]
    record["metrics"] = {**record["metrics"], "radius_median_px/defocus/network": {"value": 0.2}}
    assert bounds(record)[0][0] == "radius of defocus (px)" and bounds(record)[0][-1] == "0.200"


def test_records_of_an_experiment_stand_side_by_side() -> None:
    first, second, third = made_up_record(), made_up_record(variant="other", seed=0), made_up_record(seed=3)
    found = [("results/small/a.json", first), ("results/small/b.json", second), ("results/small/c.json", third)]
    lines = side_by_side(found).splitlines()
    assert len(lines) == 5 and "[other](pages/small/b.md)" in lines[3]
    assert "[fundus\\_synthetic, seed 3](pages/small/c.md)" in lines[4]
