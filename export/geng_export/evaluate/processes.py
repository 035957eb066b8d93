"""Work that is spread over processes, one thread each: small networks gain nothing from threads."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
#: Processes, where nobody says otherwise: as many as the smallest machine has cores.
PROCESSES = 2


def spread(
    function: Callable[..., T], *rows: Iterable[Any], processes: int = PROCESSES, chunk: int = 1
) -> list[T]:
    """``map`` over several processes, results in order.

    Args:
        function: At the top level of a module.
        rows: Its arguments, as :func:`map` takes them.
        processes: 1 stays in this process.
        chunk: Calls handed over at a time.
    """
    if processes <= 1:
        return list(map(function, *rows))
    # Read when a child loads its libraries; the parent has loaded its own.
    os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(function, *rows, chunksize=chunk))
