"""Instructions of one guided int8 step, counted on emulated Arm cores: ours, and the peers'.

    python benchmarks/arm/count_step.py [--json docs/results/arm_counts.json] [--symbols]

Builds the core for aarch64 and a plugin for QEMU, unpacks a Debian for arm64 with the peers' own
wheels under build/arm, gives everybody the same bridge and the same inputs, and runs the step a few
and many times: the slope is the step. Modulation and the condition's keys and values are ready
before the first step, for all alike. Every v is compared with float32 torch's.

Needs the packages g++-aarch64-linux-gnu, qemu-user and debootstrap, root for debootstrap, and in
this Python geng-edge and geng-export[onnx,litert]. Takes some minutes, most of them downloads.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from emulate import CORES, HERE, ROOT, Core, Count, EmulationError, build, call, count, slope
from userland import Userland

MODEL = ROOT / "python" / "geng_edge" / "models" / "edge.gguf"
TEXT = (
    "Periodic data with a period of 64 steps, values range from -5 to 5, upward trend, no anomaly"
)
TIMESTEP = 250
FEW, MANY = 10, 60
PEERS = {"onnxruntime": "step-int8.onnx", "litert": "step-int8.tflite"}


@dataclass
class Row:
    """One runtime on one core.

    Attributes:
        runtime: Ours is ``geng-edge``.
        isa: Our kernel set; of a peer its version.
        core: QEMU's name.
        instructions: Of one guided step.
        error: Root mean square distance of v from float32 torch's, over that of v.
    """

    runtime: str
    isa: str
    core: str
    instructions: int
    error: float


class Inputs:
    """The same bridge and inputs for everybody, made once for a model and kept in a folder."""

    def __init__(self, folder: Path) -> None:
        key = hashlib.sha256(MODEL.read_bytes() + TEXT.encode()).hexdigest()[:16]
        self.folder = folder / key
        if not (self.folder / "done").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._make()
            (self.folder / "done").touch()
        self.v = np.load(self.folder / "v.npy")

    def _make(self) -> None:
        import torch

        from geng_edge import Condition
        from geng_export.peers.lean import Lean
        from geng_export.targets import litert, onnx

        values = Condition.from_text(TEXT).array
        lean = Lean.of(MODEL, values)
        shape = lean.module.bridge.config
        x = np.random.default_rng(0).standard_normal((shape.tokens, shape.width), np.float32)
        feed = lean.feed(x, TIMESTEP)
        values.tofile(self.folder / "condition.f32")
        x.tofile(self.folder / "x.f32")
        np.savez(self.folder / "inputs.npz", **feed)
        with torch.no_grad():
            v = lean.module(*(torch.from_numpy(a.copy()) for a in feed.values()))
        np.save(self.folder / "v.npy", v.numpy())
        onnx.write_step(lean, self.folder / "step.onnx", {"model": MODEL.name})
        onnx.quantize_dynamic(self.folder / "step.onnx", self.folder / PEERS["onnxruntime"])
        litert.write_step(lean, self.folder / "step.tflite")
        litert.quantize_dynamic(self.folder / "step.tflite", self.folder / PEERS["litert"])

    def error(self, v: np.ndarray[Any, Any]) -> float:
        """How far a v is from float32 torch's, as a share of it."""
        off = v.reshape(self.v.shape) - self.v
        return float(np.sqrt((off**2).mean() / (self.v**2).mean()))


def count_ours(
    core: Core, plugin: Path, driver: Path, inputs: Inputs, symbols: bool
) -> tuple[Row, Count]:
    """Our step on one core."""
    out = inputs.folder / f"ours-{core.name}.f32"
    runs = [
        count(core, plugin, [driver, MODEL, inputs.folder / "condition.f32", inputs.folder / "x.f32",
                             str(TIMESTEP), str(steps), out], symbols=symbols)
        for steps in (FEW, MANY)
    ]  # fmt: skip
    step = slope(runs[0], runs[1], MANY - FEW)
    isa = {"cortex-a76": "dotprod"}.get(core.name, "neon")
    v = np.fromfile(out, np.float32)
    return Row("geng-edge", isa, core.name, step.instructions, inputs.error(v)), step


def count_peer(runtime: str, core: Core, plugin: Path, userland: Userland, inputs: Inputs) -> Row:
    """A peer's step on one core."""
    userland.describe(core)
    out = inputs.folder / f"{runtime}-{core.name}.npy"
    runs = [
        count(core, plugin, [userland.python, HERE / "peer_steps.py", runtime,
                             inputs.folder / PEERS[runtime], inputs.folder / "inputs.npz",
                             str(steps), out], root=userland.root, environment=userland.environment)
        for steps in (FEW, MANY)
    ]  # fmt: skip
    step = slope(runs[0], runs[1], MANY - FEW)
    version = userland.versions()["ai-edge-litert" if runtime == "litert" else runtime]
    return Row(runtime, version, core.name, step.instructions, inputs.error(np.load(out)))


def table(rows: list[Row]) -> str:
    """What was counted, with our share of each peer's."""
    ours = {row.core: row.instructions for row in rows if row.runtime == "geng-edge"}
    lines = ["core        runtime      version or set  instructions  ours / this   error of v"]
    for row in rows:
        share = ours[row.core] / row.instructions
        lines.append(f"{row.core:11} {row.runtime:12} {row.isa:14} {row.instructions:13,} "
                     f"{share:12.3f} {row.error:12.4f}")  # fmt: skip
    return "\n".join(lines)


def run(options: argparse.Namespace) -> list[Row]:
    """Everything, printed as it comes."""
    folder = ROOT / "build" / "arm"
    plugin, driver = build(folder)
    inputs = Inputs(folder / "inputs")
    rows = []
    userland = None if options.ours else Userland(folder / "userland")
    for core in CORES.values():
        row, step = count_ours(core, plugin, driver, inputs, options.symbols)
        rows.append(row)
        for name, instructions in sorted(step.symbols.items(), key=lambda item: -item[1])[:16]:
            print(f"{instructions:12,} {name[:100]}")
        if userland is not None:
            rows += [count_peer(name, core, plugin, userland, inputs) for name in PEERS]
    return rows


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    parser.add_argument("--symbols", action="store_true", help="our counts by function too")
    parser.add_argument("--ours", action="store_true", help="leave the peers out")
    options = parser.parse_args()
    try:
        rows = run(options)
    except EmulationError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(rows))
    if options.json:
        facts = {
            "command": "python benchmarks/arm/count_step.py --json docs/results/arm_counts.json",
            "model_sha256": hashlib.sha256(MODEL.read_bytes()).hexdigest(),
            "steps": [FEW, MANY],
            "qemu": call(["qemu-aarch64", "--version"]).splitlines()[0],
            "compiler": call(["aarch64-linux-gnu-g++", "--version"]).splitlines()[0],
            "rows": [asdict(row) for row in rows],
        }
        options.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
