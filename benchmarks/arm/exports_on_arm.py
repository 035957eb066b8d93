"""ONNX and LiteRT exports on emulated Raspberry Pis: stock runtimes, our loop, the same series.

    python benchmarks/arm/exports_on_arm.py --exports exports [--json docs/results/exports_on_arm.json]

Cross-builds the extension, unpacks a Debian for arm64 with the wheels of ONNX Runtime and LiteRT that
a board gets (as count_step.py does), and draws two series with every export of the student that the
folder holds. Each is held against this host's float32 series.

Needs the packages g++-aarch64-linux-gnu, qemu-user and debootstrap, root for debootstrap, and in this
Python (3.11, as the emulated one) geng-edge and pybind11.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
from draw_with import SEED, SERIES
from emulate import CORES, HERE, ROOT, Core, EmulationError, call
from userland import PYTHON, Userland

from geng_edge.bench.inputs import TEXTS

BACKENDS = {"onnx": "onnxruntime", "litert": "litert"}


def package(folder: Path) -> Path:
    """The device package for arm64: a folder for PYTHONPATH.

    Raises:
        EmulationError: This Python is another than the emulated one, or the build fails.
    """
    import pybind11

    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if here != PYTHON:
        raise EmulationError(f"Python is {here}; it must be {PYTHON}, whose headers are used")
    core, made = folder / "core-pic", folder / "package" / "geng_edge"
    core.mkdir(parents=True, exist_ok=True)
    call(
        ["cmake", "-G", "Ninja", "-S", ROOT, "-B", core, "-DCMAKE_BUILD_TYPE=Release",
         "-DGENG_BUILD_TESTS=OFF", "-DCMAKE_POSITION_INDEPENDENT_CODE=ON",
         f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake' / 'aarch64.cmake'}"]
    )  # fmt: skip
    call(["cmake", "--build", core, "--target", "geng", "-j", "1"])
    shutil.rmtree(made.parent, ignore_errors=True)
    shutil.copytree(
        ROOT / "python" / "geng_edge", made, ignore=shutil.ignore_patterns("_core*.so", "*.pyc")
    )
    call(
        ["aarch64-linux-gnu-g++", "-std=c++20", "-O2", "-shared", "-fPIC", "-fvisibility=hidden",
         "-static-libstdc++", "-static-libgcc", '-DGENG_VERSION="0"', '-DGENG_BUILD_FLAGS="cross"',
         "-I", ROOT / "cpp" / "include", "-I", ROOT / "cpp" / "src", "-I", pybind11.get_include(),
         "-I", sysconfig.get_paths()["include"], *sorted((ROOT / "cpp" / "bindings").glob("*.cpp")),
         core / "libgeng.a", "-lpthread",
         "-o", made / f"_core.cpython-{PYTHON.replace('.', '')}-aarch64-linux-gnu.so"]
    )  # fmt: skip
    return made.parent


def run(
    core: Core, userland: Userland, folder: Path, model: Path, latent: Path, exports: list[str]
) -> dict[str, Any]:
    """Everything that one emulated core draws.

    Raises:
        EmulationError: The emulated program failed.
    """
    userland.describe(core)
    out = folder / f"drawn-{core.name}.npz"
    environment = {
        **userland.environment,
        "PYTHONPATH": f"{folder / 'package'}:{userland.site}",
        "GENG_CACHE": "off",
    }
    command: list[str | Path] = ["qemu-aarch64-static", "-cpu", core.name, "-L", userland.root]
    for name, value in environment.items():
        command += ["-E", f"{name}={value}"]
    command += [userland.python, HERE / "draw_with.py", model, latent, out, *exports]
    done = subprocess.run(
        command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise EmulationError(f"{core.name}: {done.stderr.strip()[-2000:]}")
    with np.load(out) as found:
        return dict(found)


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """One row for each core and export: distance of its series from this host's float32."""
    from geng_edge import Condition, Generator
    from geng_edge.bench.inputs import conditions

    folder = options.folder.resolve()
    native = Generator.load(None, "fp32", 1)
    condition: Condition = conditions(native)[0]
    folder.mkdir(parents=True, exist_ok=True)
    latent = folder / "latent.npy"
    condition.save(latent)
    wanted = native.generate(condition, SERIES, seed=SEED).values
    span = np.ptp(wanted, axis=1, keepdims=True)
    exports = [
        f"{BACKENDS[target]}={found}"
        for target in BACKENDS
        for found in sorted((options.exports.resolve() / target).iterdir())
    ]
    package(folder)
    userland = Userland(options.userland.resolve())
    rows = []
    for core in CORES.values():
        drawn = run(core, userland, folder, native.path, latent, exports)
        isa = str(drawn.pop("isa"))
        for name, values in drawn.items():
            apart = np.abs(values - wanted) / span
            row = {
                "core": core.name,
                "isa": isa,
                "runtime": name,
                "mean": float(apart.mean()),
                "worst": float(apart.max()),
            }
            rows.append(row)
            print(f"{core.name:11} {name:24} mean {100 * row['mean']:.4f} %, "
                  f"worst {100 * row['worst']:.4f} % of the range", flush=True)  # fmt: skip
    return rows


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--exports", type=Path, required=True, help="the folder that export wrote")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "arm")
    parser.add_argument("--userland", type=Path, default=ROOT / "build" / "arm" / "userland")
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    options = parser.parse_args()
    try:
        rows = measure(options)
        versions = Userland(options.userland.resolve()).versions()
    except EmulationError as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        manifest = (options.exports / "export.json").read_bytes()
        facts = {
            "command": "python benchmarks/arm/exports_on_arm.py --exports exports "
            "--json docs/results/exports_on_arm.json",
            "exports_sha256": hashlib.sha256(manifest).hexdigest(),
            "text": TEXTS[0],
            "series": SERIES,
            "seed": SEED,
            "versions": versions,
            "qemu": call(["qemu-aarch64-static", "--version"]).splitlines()[0],
            "rows": rows,
        }
        options.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
