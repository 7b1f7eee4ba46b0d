"""Independent work on several threads, where torch may use several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Done = TypeVar("Done")


def at_once(work: Callable[[Item], Done], items: Sequence[Item]) -> list[Done]:
    """The results of a function for each item, in their order, as many items at a time as torch has threads.

    Small images gain little from several threads in one operation. Here each of several items has one thread to itself,
    so that the results are those of a single thread, whatever the machine. An item that is alone has all threads.

    Args:
        work: Uses torch and changes nothing that another item reads.
        items: What it is called with.

    Example:
        >>> at_once(lambda side: float(torch.ones(side, side).sum()), [2, 3, 4])
        [4.0, 9.0, 16.0]
    """
    threads = torch.get_num_threads()
    if min(threads, len(items)) < 2:
        return [work(one) for one in items]
    inference, grad = torch.is_inference_mode_enabled(), torch.is_grad_enabled()

    def alone(one: Item) -> Done:
        torch.set_num_threads(1)
        with torch.inference_mode(inference), torch.set_grad_enabled(grad):  # both are each thread's own
            return work(one)

    pool = ThreadPoolExecutor(min(threads, len(items)))
    try:
        return list(pool.map(alone, items))
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
