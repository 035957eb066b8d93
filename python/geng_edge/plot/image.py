"""A PNG of generated series, drawn by matplotlib (extra ``plot``)."""

from __future__ import annotations

import io
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge import files
from geng_edge.errors import ArgumentError, MissingExtraError

if TYPE_CHECKING:
    import numpy.typing as npt

    from geng_edge.series import Series

_MOST = 6
_COLOUR = "#1f6f8b"
_BEHIND = "#b8b8b8"
_SHADE = "#f2e6c9"


@dataclass(frozen=True, eq=False)
class Beside:
    """What a picture shows beside the series.

    Attributes:
        behind: Another series of the same length, in grey: the example, or what was before.
        shaded: Steps on a coloured ground, ``(length,)``: what was missing, or is new.
    """

    behind: npt.NDArray[Any] | None = None
    shaded: npt.NDArray[Any] | None = None

    @classmethod
    def over(cls, example: npt.NDArray[Any], series: Series) -> Beside:
        """An example behind what it guided, laid into its range, which may be quite another."""
        low, high = float(np.nanmin(series.values)), float(np.nanmax(series.values))
        x = example.astype(np.float64)
        return cls(behind=low + (x - x.min()) / np.ptp(x) * (high - low))


def check_available(path: Path) -> None:
    """Refuse a picture that could not be drawn.

    Raises:
        ArgumentError: The file is no .png.
        MissingExtraError: matplotlib is not installed.
    """
    if path.suffix != ".png":
        raise ArgumentError(f"{path} ends in {path.suffix!r}; it must end in .png")
    import importlib.util

    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError(
            "matplotlib is not installed; --plot needs it: pip install 'geng-edge[plot]'",
            extra="plot",
        )


def _shown(text: str, most: int = 600) -> str:
    """``text`` without control characters, cut where it would push the series off the page."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain if len(plain) <= most else plain[: most - 3] + "..."


def _unit_of_time(span: float) -> tuple[float, str]:
    """Seconds in the unit that keeps the labels of an axis of ``span`` seconds short."""
    for scale, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if span >= 10.0 * scale:
            return scale, name
    return 1.0, "seconds"


def save_png(
    series: Series, path: Path, caption: str, note: str = "", beside: Beside | None = None
) -> None:
    """Draw up to six series, one above the other.

    Args:
        series: What to draw.
        path: The file, written whole or not at all.
        caption: What was asked for; wrapped.
        note: A second paragraph under it, such as what was measured.
        beside: What is shown with every series.

    Raises:
        OutputError: The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = series.values[:_MOST]
    figure = Figure(figsize=(9.0, 0.9 + 1.15 * len(shown)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(shown), 1, sharex=True, sharey=not series.labels, squeeze=False)[
        :, 0
    ]
    scale, name = _unit_of_time(series.interval * series.values.shape[1])
    time = [i * series.interval / scale for i in range(series.values.shape[1])]
    for axis, values in zip(axes, shown, strict=True):
        if beside is not None and beside.shaded is not None:
            axis.fill_between(
                time, 0, 1, where=beside.shaded, color=_SHADE, step="mid", linewidth=0.0,
                transform=axis.get_xaxis_transform(),
            )  # fmt: skip
        if beside is not None and beside.behind is not None:
            axis.plot(time, beside.behind, linewidth=0.9, color=_BEHIND)
        axis.plot(time, values, linewidth=0.9, color=_COLOUR)
        axis.grid(alpha=0.25, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
        axis.margins(x=0)
    some = f"   ({len(shown)} of {len(series.values)} series)" if len(series.values) > _MOST else ""
    axes[-1].set_xlabel(f"time, {name}{some}", fontsize=9)
    for axis, label in zip(axes, series.labels, strict=False):
        # A unit in brackets goes on a line of its own, or beside all axes where they share it.
        words, _, unit = label.partition(" [")
        own = f"\n[{_shown(unit, 12)}" if unit and unit != f"{series.unit}]" else ""
        axis.set_ylabel(_shown(words, 24) + own, fontsize=8)
    if series.unit:
        figure.supylabel(_shown(series.unit), fontsize=9, parse_math=False)
    title = "\n".join(textwrap.fill(_shown(words), 100) for words in (caption, note) if words)
    figure.suptitle(title, fontsize=10, parse_math=False)
    out = io.BytesIO()
    with warnings.catch_warnings():
        # A description may hold an emoji; the font's empty box is the answer to that.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(out, format="png", dpi=120)
    with files.whole(path) as file:
        file.write(out.getvalue())
