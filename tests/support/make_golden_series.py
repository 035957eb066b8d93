"""What the golden models draw: compare it with the golden series, or rewrite these on purpose.

    python tests/support/make_golden_series.py            # this machine's kernel sets, as they are kept
    python tests/support/make_golden_series.py --rewrite  # keeps what they draw now

Arm's series come out of ``tools/wheels/try_arm.py``, which has the same two ways.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geng_edge import Condition, Generator, _core

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "golden"
#: Of the norm, between kernel sets: float kernels round otherwise, and steps of int8 pass it on.
TOLERANCE = 2e-2


def facts() -> dict[str, Any]:
    """golden.json: the C library that the series were made with, and what each model is asked."""
    read: dict[str, Any] = json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))
    return read


def kernel_sets() -> list[str]:
    """Those that this CPU runs."""
    return [entry["name"] for entry in _core.kernel_sets() if entry["available"]]


def kept(name: str, isa: str, machine: str = platform.machine()) -> Path:
    """The file of a golden series."""
    return GOLDEN / "series" / f"{name}-{machine}-{isa}.npy"


def draw(name: str, isa: str) -> npt.NDArray[np.float32]:
    """Three series of a golden model, float32 ``(3, 512)``."""
    generator = Generator.load(GOLDEN / f"{name}.gguf", threads=1, isa=isa)
    condition = Condition.load(GOLDEN / f"{name}_condition.npy")
    return generator.generate(condition, **facts()["models"][name]["asked"]).values


def apart(drawn: npt.NDArray[np.float32], golden: npt.NDArray[np.float32]) -> float:
    """Norm of the difference as a share of the golden norm."""
    return float(np.linalg.norm(drawn - golden) / np.linalg.norm(golden))


def table() -> str:
    """docs/compatibility.md's: how far each kept series lies from x86-64's scalar set's."""
    names = list(facts()["models"])
    rows = [f"| kernel set | {' | '.join(names)} |", "| --- |" + " ---: |" * len(names)]
    for path in sorted((GOLDEN / "series").glob(f"{names[0]}-*.npy")):
        _, machine, isa = path.stem.split("-")
        away = [
            apart(*(np.load(kept(n, *at), allow_pickle=False)
                    for at in ((isa, machine), ("scalar", "x86_64"))))
            for n in names
        ]  # fmt: skip
        rows.append(f"| {machine} `{isa}` | {' | '.join(f'{d:.1e}' if d else '0' for d in away)} |")
    return "\n".join(rows)


def main() -> int:
    """The command line; 1 where a series is another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rewrite", action="store_true", help="keep what is drawn now")
    parser.add_argument(
        "--table", action="store_true", help="print how far the kept ones are apart"
    )
    asked = parser.parse_args()
    if asked.table:
        sys.stdout.write(table() + "\n")
        return 0
    rewrite = asked.rewrite
    changed = 0
    for name in facts()["models"]:
        for isa in kernel_sets():
            path, drawn = kept(name, isa), draw(name, isa)
            if not path.exists():
                said, changed = "new" if rewrite else "is not kept", changed + 1
            else:
                golden = np.load(path, allow_pickle=False)
                changed += not np.array_equal(drawn, golden)
                said = f"{apart(drawn, golden):.1e} away"
            sys.stdout.write(f"{path.name}: {said}\n")
            if rewrite:
                np.save(path, drawn, allow_pickle=False)
    return int(changed > 0 and not rewrite)


if __name__ == "__main__":
    sys.exit(main())
