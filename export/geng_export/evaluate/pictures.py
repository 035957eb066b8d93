"""Real windows beside the windows generated for their captions, and generated series task by task."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_export.evaluate.captioned import Captioned
from geng_export.evaluate.conformity import TASKS
from geng_export.evaluate.drawing import Description, Way, draw

if TYPE_CHECKING:
    from geng_edge.generator import Generator

_REAL, _MADE = "#444444", "#1f6f8b"


def by_task(generator: Generator, asked: Sequence[Description], path: Path) -> None:
    """For one description of each task, three series (the paper's figure 4).

    Args:
        generator: The model.
        asked: Descriptions; the first of each task is taken.
        path: The PNG.
    """
    first = [next(one for one in asked if one.task == task) for task in sorted(TASKS)]
    figure, axes = _page(len(first), 3)
    for row, one, series in zip(axes, first, draw(generator, first, 3, Way()), strict=True):
        for axis, values in zip(row, series, strict=True):
            axis.plot(values, color=_MADE, linewidth=0.7)
        _head(row[0], f"{TASKS[one.task]}: {one.text}")
    _save(figure, path)


def real_beside_generated(generator: Generator, held: Sequence[Captioned], path: Path) -> None:
    """Held-out real windows, each beside two drawn for its caption (the paper's figure 5).

    Args:
        generator: The model.
        held: The windows; the first of each of six domains is taken.
        path: The PNG.
    """
    by_domain: dict[str, Captioned] = {}
    for window in held:
        by_domain.setdefault(window.domain, window)
    rows = list(by_domain.values())[:6]
    figure, axes = _page(len(rows), 3)
    for row, window, series in zip(axes, rows, draw(generator, rows, 2, Way()), strict=True):
        row[0].plot(window.x, color=_REAL, linewidth=0.7)
        for axis, values in zip(row[1:], series, strict=True):
            axis.plot(values, color=_MADE, linewidth=0.7)
        _head(row[0], f"{window.domain}: {window.text}")
    _save(figure, path)


def _page(rows: int, columns: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # Room for the heads, which the layout does not see.
    engine = ConstrainedLayoutEngine(h_pad=0.22)
    figure = Figure(figsize=(10.0, 2.0 * rows), layout=engine)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in np.ravel(axes):
        axis.tick_params(labelsize=6)
    return figure, axes


def _head(axis: Any, text: str) -> None:
    """A line or two over a whole row of axes."""
    # A dollar sign would start a formula.
    lines = textwrap.wrap(text.replace("$", r"\$"), 150)[:2]
    # A title would take its width from the columns, whatever the layout is told of it.
    place = {"transform": axis.transAxes, "va": "bottom", "fontsize": 7}
    axis.text(0.0, 1.03, "\n".join(lines), **place).set_in_layout(False)


def _save(figure: Any, path: Path) -> None:
    beside = path.with_suffix(".tmp")
    figure.savefig(beside, format="png", dpi=110, metadata={"Software": None})
    beside.replace(path)
