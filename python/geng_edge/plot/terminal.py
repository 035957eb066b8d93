"""A small plot in braille characters, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from geng_edge.series import Series

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE = 0x2800


def draw(
    series: Series, columns: int = 72, rows: int = 8, most: int = 3, *, plain: bool = False
) -> str:
    """The first series as text.

    Args:
        series: What to draw.
        columns, rows: Size of each plot in characters.
        most: Series that are drawn; the rest is only counted.
        plain: Asterisks instead of braille, for a terminal without Unicode.
    """
    blocks = []
    for name, values in list(zip(series.names, series.values, strict=True))[:most]:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        unit = f" {series.unit}" if series.unit else ""
        blocks.append(f"{name}  {low:.4g} to {high:.4g}{unit}")
        lines = _canvas(np.asarray(values, dtype=np.float64), columns, rows)
        blocks += [_in_ascii(line) if plain else line for line in lines]
    left = len(series.values) - most
    if left > 0:
        blocks.append(f"... and {left} more")
    return "\n".join(blocks)


def _in_ascii(line: str) -> str:
    return "".join(" " if ord(c) == _BRAILLE else "*" for c in line)


def _canvas(values: npt.NDArray[np.float64], columns: int, rows: int) -> list[str]:
    wide, tall = 2 * columns, 4 * rows
    low, span = np.nanmin(values), max(np.nanmax(values) - np.nanmin(values), 1e-30)
    cells = np.full((rows, columns), _BRAILLE)
    edges = np.linspace(0, len(values), wide + 1).astype(int)
    for x in range(wide):
        part = values[edges[x] : max(edges[x + 1], edges[x] + 1)]
        part = part[~np.isnan(part)]
        if not len(part):
            continue
        bottom = int((part.min() - low) / span * (tall - 1))
        top = int((part.max() - low) / span * (tall - 1))
        for y in range(bottom, top + 1):
            down = tall - 1 - y
            cells[down // 4, x // 2] |= _DOTS[x % 2][down % 4]
    return ["".join(chr(c) for c in row) for row in cells]
