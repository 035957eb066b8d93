"""Figure 3: quality against quantity of the candidates that are learned beside the seed pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geng_edge import files
from geng_edge.errors import MissingExtraError


def draw(table: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw a table's rows as lines, one for each way of choosing candidates.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: The picture cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "matplotlib is not installed; --plot needs it: pip install matplotlib"
        ) from error
    lines: dict[str, list[tuple[float, float]]] = {}
    seed_only = next(row for row in table if row["model"] == "seed only")["right"]
    for row in table:
        name = row["model"].partition(",")[0]
        if name in ("base", "seed only"):
            continue
        size = sum(row["candidates"]) / len(row["candidates"])
        lines.setdefault(name, [(0.0, seed_only)]).append((size, row["right"]))
    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, points in lines.items():
        points.sort()
        axes.plot([x for x, _ in points], [100.0 * y for _, y in points], marker="o", label=name)
    axes.set_xlabel("candidates beside the seed pairs")
    axes.set_ylabel("claims right, %")
    axes.legend(frameon=False)
    with files.whole(path) as file:
        figure.savefig(file, format="png", dpi=150)
