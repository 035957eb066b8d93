"""Fill gaps in a real log, and measure the filling on values that were hidden.

Temperature at a weather station, every half hour for a month (`station_log.md` says whose). Gaps of 3, 6
and 12 hours are cut into it, twelve hours and more apart, and filled in two ways: by a straight line, and
by the median of 20 draws of `geng_edge.completion`, those that `geng-edge impute` writes. The errors are
those of the values that were cut out; `inside` is how many of them lie in the middle 80 % of the draws,
which a straight line cannot say. At last the gap that the station itself left is filled.

The filling knows the log alone. Three seeds of places: over 3, 6 and 12 hours a straight line is off by
1.60, 3.41 and 6.75 degC on average, the completion by 0.97, 1.70 and 2.52.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from geng_edge import recorded
from geng_edge.completion import complete

LOG = Path(__file__).with_name("station_log.csv")
DRAWS = 20


def cut(known: npt.NDArray[np.bool_], steps: int, seed: int) -> npt.NDArray[np.bool_]:
    """Which known values to hide: gaps of ``steps``, at random places with as much and more between."""
    rng = np.random.default_rng(seed)
    hidden = np.zeros(len(known), bool)
    first = 48 + int(rng.integers(steps))
    while first + steps < len(known) - 48:
        hidden[first : first + steps] = True
        first += steps + 24 + int(rng.integers(3 * steps))
    return hidden & known


def straight(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same with straight lines over what is missing."""
    steps, known = np.arange(len(values)), np.isfinite(values)
    return np.interp(steps, steps[known], values[known])


def main() -> None:
    """Measure, then fill the log."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", default="3,6,12", help="lengths of the gaps")
    parser.add_argument("--seeds", type=int, default=3, help="how often places are drawn")
    parser.add_argument("--out", type=Path, default=Path("filled.csv"))
    arguments = parser.parse_args()
    log = recorded.load(LOG)
    print("| gap, hours | hidden values | straight line, degC | completion, degC | inside |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for hours in map(int, arguments.hours.split(",")):
        line, drawn, inside, count = [], [], [], 0
        for seed in range(arguments.seeds):
            hidden = cut(np.isfinite(log.values), 2 * hours, seed)
            gappy = np.where(hidden, np.nan, log.values)
            draws = complete(gappy, DRAWS, seed=seed)[:, hidden]
            truth = log.values[hidden]
            low, middle, high = np.quantile(draws, (0.1, 0.5, 0.9), axis=0)
            line.append(np.abs(straight(gappy)[hidden] - truth).mean())
            drawn.append(np.abs(middle - truth).mean())
            inside.append(np.mean((low <= truth) & (truth <= high)))
            count += len(truth)
        print(
            f"| {hours} | {count} | {np.mean(line):.2f} (± {np.std(line):.2f}) | "
            f"{np.mean(drawn):.2f} (± {np.std(drawn):.2f}) | {np.mean(inside):.0%} |"
        )
    filled = np.median(complete(log.values, DRAWS), axis=0)
    own = int(np.isnan(log.values).sum())
    stamps = LOG.read_text(encoding="utf-8").splitlines()
    rows = [
        f"{row.split(',')[0]},{value:.2f}" for row, value in zip(stamps[1:], filled, strict=True)
    ]
    arguments.out.write_text("\n".join([stamps[0], *rows]) + "\n", encoding="utf-8")
    print(f"filled the {own} values that the station missed itself: {arguments.out}")


if __name__ == "__main__":
    main()
