"""Which runtime is asked for v: the options that name another one, and the backend they name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from geng_edge.errors import ArgumentError

if TYPE_CHECKING:
    from geng_edge.backends import Backend

NATIVE = "native"


def add_backend(parser: argparse.ArgumentParser) -> None:
    """The two options."""
    parser.add_argument(
        "--backend",
        default=NATIVE,
        help="what runs the network: native, onnxruntime or litert (default native); noise, schedule, "
        "guidance and decoder stay the same",
    )
    parser.add_argument(
        "--backend-model",
        metavar="PATH",
        help="with another backend: the folder of an export, or one of its files",
    )


def backend_of(arguments: argparse.Namespace, threads: int) -> Backend | None:
    """The backend that is asked for, loaded; None for native.

    Raises:
        ArgumentError: It needs an export and none is named, or the other way round.
        MissingExtraError: Its package is not installed.
        ModelFileError: The export cannot be loaded.
    """
    named = arguments.backend_model
    if arguments.backend == NATIVE:
        if named is not None:
            raise ArgumentError("backend-model is given with backend native; it must be left out")
        return None
    from geng_edge.backends import BACKENDS, Backend

    if arguments.backend not in BACKENDS:
        raise ArgumentError(
            f"backend is {arguments.backend[:40]!r}; it must be one of {', '.join(BACKENDS)}",
            name="backend",
            value=arguments.backend,
        )
    if named is None:
        raise ArgumentError(
            f"backend is {arguments.backend} without a model; name its export with --backend-model"
        )
    return Backend(arguments.backend, named, threads)
