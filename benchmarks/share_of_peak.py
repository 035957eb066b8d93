"""How much of this core's int8 peak the matmul and a whole step reach, peak measured in the same run.

    python benchmarks/share_of_peak.py

Builds geng-bench (needs cmake and a C++ compiler) in build/share_of_peak and prints its tables: the int8
matmul at the bridge's shapes, weights streaming through the caches as in a step; then one step, guided
and not, of a bridge of the shipped one's size. Targets: 75 % and 60 %.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "share_of_peak"


def main() -> None:
    """Build and run."""
    configure = [
        "cmake",
        "-S",
        ROOT,
        "-B",
        BUILD,
        "-DGENG_BUILD_TESTS=OFF",
        "-DGENG_BUILD_FUZZERS=OFF",
    ]
    subprocess.run(configure, check=True, stdout=subprocess.DEVNULL)
    build = ["cmake", "--build", BUILD, "-j", "2", "--target", "geng-bench"]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    program = BUILD / "cpp" / "bench" / "geng-bench"
    subprocess.run([program, "--matmul"], check=True)
    print(flush=True)
    step = ["--shape", "edge", "--steps", "8", "--guidance", "0,1.5", "--repetitions", "40"]
    subprocess.run([program, *step], check=True)


if __name__ == "__main__":
    main()
