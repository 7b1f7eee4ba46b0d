"""Work on several threads: the order, the results of one thread, modes and errors are as in a plain loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from blurlab.core.threads import at_once


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_results_keep_their_order_and_each_item_has_one_thread() -> None:
    found = at_once(lambda item: (item, torch.get_num_threads(), torch.is_inference_mode_enabled()), range(5))
    assert found == [(item, 1, False) for item in range(5)]
    assert torch.get_num_threads() == 2
    with torch.inference_mode():
        assert at_once(lambda _: torch.is_inference_mode_enabled(), range(3)) == [True] * 3


@pytest.mark.usefixtures("two_threads")
def test_gradients_are_off_where_they_were_off() -> None:
    weight = torch.ones(3, requires_grad=True)
    with torch.no_grad():
        assert at_once(lambda share: (share * weight).requires_grad, [1, 2]) == [False, False]
    assert at_once(lambda share: (share * weight).requires_grad, [1, 2]) == [True, True]


@pytest.mark.usefixtures("two_threads")
def test_an_error_comes_through_and_the_threads_are_given_back() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once(lambda item: 1 / item, [1, 0, 2, 3])
    assert torch.get_num_threads() == 2


def test_several_threads_find_the_kernel_of_one() -> None:
    from blurlab.blind import FreeForm
    from blurlab.blind.blind_kernel import Run
    from blurlab.blind.coarse_to_fine import CoarseToFine

    y = torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(0)).repeat_interleave(2, -1)
    form, before, found = FreeForm(runs=(Run(CoarseToFine()),), sides=(0.7, 1.0)), torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append([one.psf for one in form._explanations(y, 9)])
    torch.set_num_threads(before)
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
