"""Patches without edges are not trained on."""

from __future__ import annotations

import numpy as np
import torch

from blurlab.dataset import AugmentedItems, SharpImages
from blurlab.dataset.edges import has_edges

RNG = np.random.default_rng(0)


def test_edges_along_rows_and_along_columns_are_both_asked_for() -> None:
    stripes = np.repeat(np.array([[0, 255]], dtype=np.uint8), 8, 0).repeat(4, 1).reshape(8, 8, 1)
    assert not has_edges(stripes, 0.06)
    assert not has_edges(stripes.swapaxes(0, 1), 0.06)
    assert has_edges(np.minimum(stripes, stripes.swapaxes(0, 1)), 0.06)
    assert has_edges(stripes, 0.0)


def test_the_share_counts() -> None:
    patch = np.zeros((21, 21), np.uint8)
    patch[10, 10] = 255  # 2 of 420 differences along each axis
    assert has_edges(patch, 2 / 420) and not has_edges(patch, 2.1 / 420)
    patch[10, 10] = 12  # below .05
    assert not has_edges(patch, 1 / 420)


def photographs() -> SharpImages:
    flat = [np.full((40, 40, 1), 9, np.uint8)] * 5
    return SharpImages([*flat, RNG.integers(0, 255, (40, 40, 1), dtype=np.uint8)], list("abcdef"))


def test_a_flat_patch_gives_way_to_one_with_edges() -> None:
    items = AugmentedItems(photographs(), 20, seed=0, stage="t", scale=None, least_edges=0.06)
    assert all(has_edges(items[index][0].permute(1, 2, 0).numpy(), 0.06) for index in range(12))
    assert torch.equal(items[3][0], items[3][0]) and items[3][1] != items[4][1]
    every = AugmentedItems(photographs(), 20, seed=0, stage="t", scale=None)
    assert sum(bool((every[index][0] == 9).all()) for index in range(12)) == 10


def test_where_no_photograph_has_edges_a_patch_comes_all_the_same() -> None:
    flat = SharpImages([np.full((40, 40, 1), 9, np.uint8)], ["a"])
    assert AugmentedItems(flat, 20, seed=0, stage="t", scale=None, least_edges=0.06)[0][0].shape == (1, 20, 20)
