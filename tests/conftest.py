"""Made-up sets and prepared photographs that tests of several folders read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache of prepared photographs for all tests, in place of the user's; entries are named by their content."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLURLAB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """One thread, as in the processes that tests start: over other parts a sum is rounded otherwise."""
    import torch  # not above: the process that only hands tests to others starts the sooner

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_command_before() -> Iterator[None]:
    """Hydra keeps the last command of a process; a run made by the next test must not take its words for its own."""
    yield
    from hydra.core.hydra_config import HydraConfig

    HydraConfig.instance().cfg = None


@pytest.fixture(scope="session")
def levin_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the made-up set of :func:`put_levin`; to be read only."""
    root = tmp_path_factory.mktemp("data")
    put_levin(root / "levin09")
    return root


def put_levin(folder: Path, side: int = 56) -> None:
    """Four smooth photographs through eight kernels, six of whose files are turned, in the layout of Levin et al."""
    import numpy as np
    from PIL import Image
    from scipy import ndimage, signal
    from scipy.io import savemat

    rng = np.random.default_rng(9)
    (folder / "gt").mkdir(parents=True)
    (folder / "mat").mkdir()
    kernels = {}
    for number in range(1, 9):
        plane = rng.integers(0, 256, (3 + 2 * (number % 3),) * 2, dtype=np.uint8)
        Image.fromarray(plane).save(folder / "gt" / f"kernel{number}.png")
        kernels[number] = (plane if number in (4, 8) else plane[::-1, ::-1]) / plane.sum()
    for photo in range(1, 5):
        wide = ndimage.gaussian_filter(rng.standard_normal((side + 6, side + 6)), 2)
        wide = np.round((0.5 + wide / (6 * wide.std())).clip(0, 1) * 255)
        Image.fromarray(wide[3:-3, 3:-3].astype(np.uint8)).save(folder / "gt" / f"im{photo}.png")
        for number, kernel in kernels.items():
            margin = 3 - kernel.shape[0] // 2
            inner = wide[margin : len(wide) - margin, margin : len(wide) - margin]
            y = signal.convolve2d(inner, kernel, "valid") + rng.normal(0, 1, (side, side))
            Image.fromarray(y.round().clip(0, 255).astype(np.uint8)).save(folder / f"im{photo}_kernel{number}_img.png")
            pair = {"x": wide[3:-3, 3:-3] / 255, "y": y / 255, "f": kernel[::-1, ::-1]}
            savemat(folder / "mat" / f"im{photo:02d}_ker{number:02d}.mat", pair)
