"""A whole process of `geng-edge sample`, beside one that only imports numpy.

    python benchmarks/cold_start.py --out docs/results/cold_start.json

Processes take turns; the packed weights are in the cache, as in any start but the first. Peak memory is
the operating system's own count of the finished process. That count begins with what the process was
forked from, so that this program imports nothing large.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEXT = (
    "Periodic data with a period of 64 steps, values range from -5 to 5, upward trend, no anomaly"
)
#: Writes the latent named by its argument, and prints the bytes of the model file.
PREPARE = f"""
import sys
from geng_edge import Condition, Generator
generator = Generator.load()
from pathlib import Path
Condition.from_text({TEXT!r}, 1.0, generator).save(Path(sys.argv[1]))
print(generator.path.stat().st_size)
"""
TIME_TARGET = 2.5
MEMORY_TARGET = 2.5


def spend(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak MB of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}; it must end with 0")
    return seconds, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--out", type=Path, help="also write JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        latent, out = Path(folder, "latent.npy"), Path(folder, "x.npy")
        os.environ["GENG_CACHE"] = folder  # in place of the user's
        prepare = [sys.executable, "-c", PREPARE, str(latent)]
        model_mb = int(subprocess.run(prepare, check=True, capture_output=True).stdout) / 2**20
        ours = [
            sys.executable,
            "-m",
            "geng_edge",
            "sample",
            "--cond",
            str(latent),
            "-n",
            "1",
            "--out",
            str(out),
        ]
        numpy = [sys.executable, "-c", "import numpy"]
        for command in (ours, numpy):
            spend(command)
        pairs = [(spend(ours), spend(numpy)) for _ in range(arguments.rounds)]
    mine, my_mb = (statistics.median(pair[0][i] for pair in pairs) for i in (0, 1))
    other, other_mb = (statistics.median(pair[1][i] for pair in pairs) for i in (0, 1))
    ratio = statistics.median(a[0] / b[0] for a, b in pairs)
    room = other_mb + MEMORY_TARGET * model_mb
    print("| process | wall ms | peak MB |\n| --- | --- | --- |")
    print(f"| geng-edge sample | {1e3 * mine:.0f} | {my_mb:.0f} |")
    print(f"| import numpy | {1e3 * other:.0f} | {other_mb:.0f} |\n")
    print(f"time: {ratio:.2f} x, median of pairs (target <= {TIME_TARGET})")
    print(f"memory: {my_mb:.0f} MB; numpy's and {MEMORY_TARGET} x the model file are {room:.0f} MB")
    if arguments.out is not None:
        facts = {
            "command": " ".join(["python", *sys.argv]),
            "rounds": arguments.rounds,
            "ours_ms": 1e3 * mine,
            "numpy_ms": 1e3 * other,
            "ratio": ratio,
            "ours_mb": my_mb,
            "numpy_mb": other_mb,
            "allowed_mb": room,
        }
        arguments.out.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
