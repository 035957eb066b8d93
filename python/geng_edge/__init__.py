"""geng-edge: text in, a sensor time series out, on the device.

``Generator`` loads a model and draws series, ``Condition`` says what to draw, ``Series`` holds what came
out. Nothing is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geng_edge.condition import Condition
    from geng_edge.generator import Generator
    from geng_edge.recording import Recorder, Recording
    from geng_edge.reference import Reference
    from geng_edge.request import Request
    from geng_edge.series import Series

_ERRORS = (
    "ArgumentError",
    "BrokerError",
    "CancelledError",
    "GengError",
    "MessageError",
    "MissingExtraError",
    "ModelFileError",
    "NotFiniteError",
    "OutputError",
    "ProfileError",
)
__all__ = [  # noqa: PLE0604  the errors are strings too
    "Condition",
    "Generator",
    "Recorder",
    "Recording",
    "Reference",
    "Request",
    "Series",
    "__version__",
    *_ERRORS,
]

_HOMES = {
    "Condition": "geng_edge.condition",
    "Generator": "geng_edge.generator",
    "Recorder": "geng_edge.recording",
    "Recording": "geng_edge.recording",
    "Reference": "geng_edge.reference",
    "Request": "geng_edge.request",
    "Series": "geng_edge.series",
    **dict.fromkeys(_ERRORS, "geng_edge.errors"),
}


def __getattr__(name: str) -> Any:
    import importlib

    if name == "__version__":
        from geng_edge import _core

        return _core.version()
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'geng_edge' has no attribute {name!r}")
