"""A run directory that somebody else made runs no code, whichever of its files names it."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from cli_run import in_process
from omegaconf import OmegaConf
from tiny_run import TRAINED, go, stop

from blurlab.cli import main
from blurlab.core.weights import read_weights
from blurlab.deconvolver import UNet, load_weights
from blurlab.head import Compact
from blurlab.learning import load_net
from blurlab.pipeline.shipped import load_nets
from blurlab.run.command.names import conf_dir
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build
from blurlab.run.setup.targets import resolve
from blurlab.run.stage.load import load_run

REFUSED = [
    "os.system", "subprocess.run", "builtins.eval", "builtins.open", "pathlib.Path", "functools.partial",
    "torch.fx.graph_module._exec_with_source", "torch.load", "torch.hub.load", "torch.hub.download_url_to_file",
    "torch.distributed.run.main", "torch.utils.cpp_extension.load", "torch.save", "torch.nn.Linear",
    "torch.optim.lr_scheduler.LambdaLR", "torch.optim.Adam.step", "torch.optim.adam.Adam", "torch.optim.torch",
    "pytorch_lightning.Trainer.fit", "pytorch_lightning.cli.LightningCLI", "pytorch_lightning.callbacks.Callback",
    "torchmetrics.utilities.imports.os", "hydra.utils.call", "hydra.utils.instantiate", "blurlab.cli.main",
    "blurlab.api.Deblurrer", "blurlab.core.atomic.os.system", "blurlab.core.atomic.replace_whole",
    "blurlab.run.setup.build.hydra.utils.call", "blurlab.run.setup.build.build",
    "blurlab.run.setup.targets.import_module", "blurlab.run.command.job.shutil.rmtree",
    "blurlab.run.command.sweep.RememberSweep", "blurlab.run.record.record.subprocess.run",
    "blurlab.run.stage.base.write_json", "blurlab.run.stage.base.json.dumps",
    "blurlab.run.stage.pretrain.load_pretrained", "blurlab.dataset.prepare.np.load", "blurlab.dataset.folder.Path",
    "blurlab.deconvolver.learned.Path", "blurlab.deconvolver.load_weights", "blurlab.deconvolver.learned.load_file",
    "blurlab.blur.motion_psf", "blurlab.learning.callbacks.Callback", "blurlab.learning.callbacks.threading.Thread",
    "blurlab.head.Compact.forward", "blurlab.head.compact.nn.Linear", "blurlab.head._x.Y",
    "blurlab.head.Compact.__init__", "blurlab.head.__builtins__", "blurlab.head", "blurlab", "", "Compact",
    ".blurlab.head.Compact", "blurlab..head.Compact", "blurlab.head.Compact\n", "blurlab.head.os.system",
    "blurlab.header.Compact", "${evil}", None, 3, ["blurlab.head.Compact"], {"a": 1},
]  # fmt: skip


@pytest.mark.parametrize("target", REFUSED, ids=str)
def test_a_target_outside_the_allow_list_is_refused(target: Any) -> None:
    with pytest.raises(UsageError, match=r"_target_|optimizer"):
        resolve(target)


def test_the_classes_that_are_known_are_those_of_the_module_itself() -> None:
    with pytest.raises(UsageError, match=r"unknown _target_ blurlab\.run\.stage\.train\.Foo; known: Train$"):
        resolve("blurlab.run.stage.train.Foo")


def targets(node: Any) -> set[str]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    own = {node["_target_"]} if isinstance(node, dict) and "_target_" in node else set()
    return own.union(*map(targets, inner))


def test_every_target_of_the_configuration_is_allowed() -> None:
    files = [path for path in conf_dir().rglob("*.yaml") if path.name != "run.yaml"]
    named = set().union(*(targets(OmegaConf.to_container(OmegaConf.load(path))) for path in files))
    assert len(named) > 60 and all(callable(resolve(target)) for target in named)


def exec_node(marker: Path) -> dict[str, Any]:
    """A node that the earlier check let pass; it writes ``marker`` where it is run."""
    source = f"open({str(marker)!r}, 'w').close()"
    return {"_target_": "torch.fx.graph_module._exec_with_source", "src": source, "globals": {}}


def test_the_payload_of_these_tests_would_run(tmp_path: Path) -> None:
    from torch.fx.graph_module import _exec_with_source

    _exec_with_source(**{key: value for key, value in exec_node(tmp_path / "ran").items() if key != "_target_"})
    assert (tmp_path / "ran").exists()


def places(evil: dict[str, Any]) -> dict[str, Any]:
    """Deconvolvers that hide a node: at the top, deep, in lists, made late, and behind interpolations."""
    douglas_rachford = {"_target_": "blurlab.deconvolver.DouglasRachford"}
    words = "{_target_: " + evil["_target_"] + ', src: "' + evil["src"] + '", globals: {}}'
    return {
        "top": evil,
        "argument": {**douglas_rachford, "prior": evil},
        "depth": {**douglas_rachford, "prior": {"_target_": "blurlab.deconvolver.Denoised", "denoiser": evil}},
        "list": {**douglas_rachford, "prior": [1, [{"a": evil}]]},
        "plain dict": {**douglas_rachford, "prior": {"a": {"b": evil}}},
        "unknown argument": {**douglas_rachford, "whatever": evil},
        "partial": {**douglas_rachford, "prior": {**evil, "_partial_": True}},
        "partial outside": {**douglas_rachford, "_partial_": True, "prior": evil},
        "args": {**douglas_rachford, "_args_": [evil]},
        "not recursive": {**douglas_rachford, "_recursive_": False, "prior": evil},
        "elsewhere": {**douglas_rachford, "prior": "${evil}"},
        "target elsewhere": {**evil, "_target_": "${evil._target_}"},
        "made from text": {**douglas_rachford, "prior": "${oc.create:'" + words.replace("'", "\\'") + "'}"},
        "made from text twice": {**douglas_rachford, "prior": "\\${oc.create:'" + words.replace("'", "\\'") + "'}"},
        "through another function": {"_target_": "hydra.utils.instantiate", "config": evil},
        "through our function": {"_target_": "blurlab.run.setup.build.build", "_args_": [evil]},
    }  # fmt: skip


@pytest.mark.parametrize("place", places({"_target_": "x", "src": ""}))
def test_a_saved_configuration_runs_no_code(place: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    evil = exec_node(marker)
    saved = {
        "evil": evil, "pipeline": {"_target_": "blurlab.pipeline.KnownKernel"}, "noise": {"sigma": 0.01},
        "head": {"_target_": "blurlab.head.Compact"}, "blur": {"_target_": "blurlab.blur.NoBlur"},
        "dataset": {"channel": "grey", "size": 64}, "deconvolver": places(evil)[place],
    }  # fmt: skip
    (tmp_path / ".hydra").mkdir()
    OmegaConf.save(OmegaConf.create(saved), tmp_path / ".hydra" / "config.yaml")
    with pytest.raises(UsageError) as caught:
        load_run(tmp_path)
    assert not marker.exists() and "\n" not in str(caught.value)


@pytest.mark.parametrize("part", ["pipeline", "blur", "head", "noise"])
def test_no_part_of_a_saved_configuration_runs_code(part: str, tmp_path: Path) -> None:
    saved = {
        "pipeline": {"_target_": "blurlab.pipeline.Direct"}, "head": {"_target_": "blurlab.head.Compact"},
        "blur": {"_target_": "blurlab.blur.Taps", "taps": 3}, "noise": {"_target_": "blurlab.noise.NoNoise"},
        "dataset": {"channel": "grey", "size": 64}, "deconvolver": {"_target_": "blurlab.deconvolver.TV"},
        part: exec_node(tmp_path / "ran"),
    }  # fmt: skip
    (tmp_path / ".hydra").mkdir()
    OmegaConf.save(OmegaConf.create(saved), tmp_path / ".hydra" / "config.yaml")
    with pytest.raises(UsageError):
        load_run(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_tags_of_yaml_make_no_objects(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    for name in ("config", "overrides"):
        text = f"!!python/object/apply:os.system ['touch {tmp_path / 'ran'}']\n"
        (tmp_path / ".hydra" / f"{name}.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"config\.yaml is damaged"):
        load_run(tmp_path)
    assert "overrides.yaml is damaged" in line_of(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_module_beside_the_user_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stranger.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass Noise: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match="not allowed"):
        build(OmegaConf.create({"_target_": "stranger.Noise"}))
    from blurlab.run.command.compose import check

    with pytest.raises(UsageError, match="not allowed"):
        check(["++noise={_target_: stranger.Noise, sigma: 1}", f"paths.runs_dir={tmp_path}"])
    assert not (tmp_path / "ran").exists()


def line_of(folder: Path) -> str:
    """The one line that ``run.resume=`` of a directory ends with."""
    done = in_process(f"run.resume={folder}", cwd=folder)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


SRC = "open('ran', 'w').close()"
EVIL = '{_target_: torch.fx.graph_module._exec_with_source, src: "' + SRC + '", globals: {}}'
WORDS = {
    f"++noise={EVIL}": "not allowed",
    f"+noise.extra={EVIL}": "unknown key|not allowed",
    f"deconvolver.prior={EVIL}": "not allowed|unknown key",
    f"stage.train={EVIL}": "not allowed",
    f"+stage.more={EVIL}": "unknown key|not allowed",
    f"augment.conditions=[{EVIL}]": "not allowed|unknown key|Could not",
    "pipeline._target_=torch.hub.load": "not allowed",
    f"+trainer.callbacks=[{EVIL}]": "not allowed",
    f"+hydra.callbacks.x={EVIL}": "would change Hydra",
    f"++hydra.callbacks.x={EVIL}": "would change Hydra",
    f"hydra.callbacks={{x: {EVIL}}}": "would change Hydra",
    f"hydra.launcher={EVIL}": "would change Hydra",
    f"hydra.sweeper={EVIL}": "would change Hydra",
    "hydra.job_logging={version: 1, formatters: {x: {(): os.system, command: touch ran}}}": "cannot be read",
    "hydra.job_logging.formatters.x={class: os.system, command: touch ran}": "would change Hydra",
    "hydra/launcher=joblib": "would change Hydra",
    "hydra/job_logging=default": "would change Hydra",
    "hydra.searchpath=[file://evil]": "would change Hydra",
    "hydra.mode=MULTIRUN": "would change Hydra",
    "hydra.output_subdir=null": "would change Hydra",
    "hydra.sweep.dir=evil": "would change Hydra",
    "~hydra.callbacks": "would change Hydra",
    "+stage@hydra.callbacks=default": "would change Hydra",
    "blur@noise=motion": "would change Hydra",
    "--config-dir=evil": "is no setting|cannot be read",
    "--config-path=evil": "is no setting|cannot be read",
    "--experimental-rerun=evil": "is no setting|cannot be read",
    "-m": "is no setting|cannot be read",
    "blur=../../evil/blur/evil": "names no member of blur",
    "+experiment=../../evil/blur/evil": "names no member of experiment",
    "deconvolver/net=../../../evil/blur/evil": "names no member",
    "+evil=1": "is no setting",
    "blur.taps=1,2": "is a sweep",
    "run.seed=range(3)": "is a sweep",
}


@pytest.mark.parametrize("word", WORDS)
def test_a_replayed_command_line_runs_no_code_and_changes_nothing_of_hydra(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "evil" / "blur").mkdir(parents=True)
    (tmp_path / "evil" / "blur" / "evil.yaml").write_text(
        f"# @package _global_\nhydra: {{callbacks: {{x: {EVIL}}}}}\nblur: {EVIL}\n"
    )
    (tmp_path / ".hydra").mkdir()
    OmegaConf.save(OmegaConf.create(["budget=smoke", "logger=csv", word]), tmp_path / ".hydra" / "overrides.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main([f"run.resume={tmp_path}"])
    err = capsys.readouterr().err
    assert caught.value.code == 2 and err.count("\n") == 1 and re.search(WORDS[word], err), err
    assert not (tmp_path / "ran").exists()


def test_words_of_an_earlier_version_are_replayed_under_their_present_names(tmp_path: Path) -> None:
    from blurlab.run.command.compose import check
    from blurlab.run.command.resume import with_resume

    (tmp_path / ".hydra").mkdir()
    OmegaConf.save(OmegaConf.create(["~stage.lessons", "budget=smoke"]), tmp_path / ".hydra" / "overrides.yaml")
    words = with_resume([f"run.resume={tmp_path}"])
    assert words[0] == "~stage.fit_parts"
    (cfg,) = check([*words, f"paths.runs_dir={tmp_path}"])
    assert "fit_parts" not in cfg.stage and "evaluate" in cfg.stage


def test_a_replayed_directory_of_hydras_is_the_run_directory_itself(tmp_path: Path) -> None:
    from blurlab.run.command.resume import with_resume

    (tmp_path / ".hydra").mkdir()
    words = ["hydra.run.dir=/elsewhere", "++hydra.run.dir=/there", "~hydra.run.dir", "budget=smoke"]
    OmegaConf.save(OmegaConf.create(words), tmp_path / ".hydra" / "overrides.yaml")
    assert with_resume([f"run.resume={tmp_path}"]) == [
        "budget=smoke", f"run.resume='{tmp_path}'", f"hydra.run.dir='{tmp_path}'",
    ]  # fmt: skip


class Bomb:
    """Touches a file where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("inside", [False, True], ids=["bare", "beside weights"])
def test_a_pickled_checkpoint_is_refused_and_the_advice_is_ours(inside: bool, tmp_path: Path) -> None:
    marker, path = tmp_path / "ran", tmp_path / "best.ckpt"
    torch.save({"state_dict": {}, "callbacks": Bomb(marker)} if inside else Bomb(marker), path)
    with pytest.raises(ValueError, match="remove its folder and train again") as caught:
        load_net(Compact(2, 1), path)
    assert "weights_only" not in str(caught.value)
    with pytest.raises(ValueError, match="cannot be read as weights") as caught:
        load_weights(UNet(2), str(path))
    assert "weights_only" not in str(caught.value) and not marker.exists()


@pytest.mark.parametrize("read", [read_weights, load_nets, lambda path: load_weights(UNet(2), path)])
@pytest.mark.parametrize("write", [torch.save, lambda what, path: path.write_bytes(pickle.dumps(what))])
def test_a_pickle_named_safetensors_is_refused_and_not_unpickled(write: Any, read: Any, tmp_path: Path) -> None:
    marker, path = tmp_path / "ran", tmp_path / "weights.safetensors"
    write(Bomb(marker), path)
    with pytest.raises(ValueError, match=r"weights\.safetensors cannot be read as weights: it is damaged"):
        read(str(path))
    assert not marker.exists()


@pytest.mark.slow
def test_a_pickled_checkpoint_to_go_on_from_is_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = tmp_path / "run"
    stop(run_dir, monkeypatch, epoch=2)
    for name in ("last.ckpt", "best.ckpt"):
        whole = torch.load(run_dir / TRAINED / name, weights_only=True)
        torch.save(
            {**whole, "callbacks": {**whole["callbacks"], "x": Bomb(tmp_path / "ran")}}, run_dir / TRAINED / name
        )
    go(run_dir)
    assert not (tmp_path / "ran").exists()
