"""What a sweep is run by, looked at before the first job: is it installed, and can it be used on this machine?"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from blurlab.run.errors import UsageError

if TYPE_CHECKING:
    from blurlab.run.command.search import Search

PLUGINS = "hydra_plugins.blurlab_sweeps."
PACKAGES = {
    "JoblibLauncher": ("joblib", "sweeps"),
    "SubmititLocalLauncher": ("submitit", "sweeps"),
    "SlurmLauncher": ("submitit", "sweeps"),
    "RayLauncher": ("ray", "ray"),
    "SearchSweeper": ("optuna", "sweeps"),
}
"""Class -> the package that it needs and the extra that has it."""
SLURM = ("sbatch", "srun")


def check_engine(hydra: Any) -> Search | None:
    """Raise where the launcher or sweeper of a composed configuration cannot be used.

    Args:
        hydra: The configuration's node ``hydra``.

    Returns:
        The search that it asks for, if any.

    Raises:
        UsageError: With the remedy.
    """
    launcher, sweeper = (str(node._target_) for node in (hydra.launcher, hydra.sweeper))
    if not sweeper.startswith(PLUGINS):
        raise UsageError(f"hydra/sweeper={sweeper}: a sweep is blurlab's own; leave it out, or choose hparams=")
    for target in (launcher, sweeper):
        package, extra = PACKAGES.get(target.removeprefix(PLUGINS), ("", ""))
        if package and find_spec(package) is None:
            what = "hparams=" if target == sweeper else f"launcher={hydra.runtime.choices.launcher}"
            raise UsageError(f"{what} needs {package}: pip install 'blurlab-toolbox[{extra}]'")
    if launcher == f"{PLUGINS}SlurmLauncher" and (lacking := [one for one in SLURM if shutil.which(one) is None]):
        raise UsageError(
            f"launcher=slurm needs Slurm's {' and '.join(lacking)}, not found on this machine; start the sweep on a "
            "node of the cluster, or use launcher=joblib"
        )
    if sweeper != f"{PLUGINS}SearchSweeper":
        return None
    from omegaconf import OmegaConf

    from blurlab.run.command.search import Search

    options: Any = OmegaConf.to_container(hydra.sweeper, resolve=True)
    return Search(**{key: value for key, value in options.items() if key not in ("_target_", "resume")})
