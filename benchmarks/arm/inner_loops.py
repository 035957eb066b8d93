"""Cycles of the int8 inner loops, by LLVM's models of the cores.

    python benchmarks/arm/inner_loops.py [--json docs/results/arm_mca.json]

Takes the loops from the objects that the build makes, so that what is modelled is what runs, and
asks llvm-mca for the cycles of an iteration: no cache misses, no mispredicted branches. The ideal
is the same model's answer for the loop's multiplications alone, each with a register of its own.
Needs aarch64-linux-gnu-g++, CMake and llvm-mca (LLVM 19; older ones know neither model nor sdot).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from emulate import ROOT, EmulationError, build_core, call

ROUNDS = 1000
LINE = re.compile(r"^\s+([0-9a-f]+):\s+(\S.*?)(?:\s+//.*)?$")
BRANCH = re.compile(r"^(b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+, #\d+,|b)\s+([0-9a-f]+) <")
PRODUCTS = {"sdot": 16, "smmla": 32, "smull": 8, "smlal": 8, "smlal2": 8}
#: Multiply-adds of one instruction; then the sets, their loop's mark, and the cores they are for.
SETS = {"dotprod": "sdot", "neon": "smlal2", "i8mm": "smmla"}
CORES = {
    "dotprod": {"neoverse-n1": "Cortex-A76, the same design"},
    "neon": {"cortex-a72": "Cortex-A72", "cortex-a53": "Cortex-A53"},
    "i8mm": {"neoverse-n2": "Neoverse N2"},
}


@dataclass
class Loop:
    """One inner loop under one model.

    Attributes:
        isa: The kernel set.
        model: llvm-mca's name of the core.
        core: What that stands for.
        instructions: Of one iteration.
        multiply_adds: int8, of one iteration.
        cycles: Of one iteration.
        ideal_cycles: Of its multiplications alone.
    """

    isa: str
    model: str
    core: str
    instructions: int
    multiply_adds: int
    cycles: float
    ideal_cycles: float


def loops_of(object_file: Path) -> list[list[str]]:
    """Every innermost loop: its instructions, without addresses, the branch last."""
    text = call(["aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", object_file])
    found = [m for m in map(LINE.match, text.splitlines()) if m is not None]
    place = {int(m[1], 16): i for i, m in enumerate(found)}
    loops = []
    for i, match in enumerate(found):
        branch = BRANCH.match(match[2])
        begin = place.get(int(branch[2], 16), i + 1) if branch else i + 1
        if begin > i:
            continue
        body = [m[2].replace("\t", " ") for m in found[begin:i]]
        if not any(BRANCH.match(line) or line.startswith(("bl ", "ret")) for line in body):
            loops.append([*body, match[2].split()[0] + " again"])
    return loops


def mnemonics(loop: list[str]) -> list[str]:
    """The first word of every line."""
    return [line.split()[0] for line in loop]


def main_loop(object_file: Path, mark: str) -> list[str]:
    """The loop of the widest block: the one with most of the instruction `mark`."""
    loops = [loop for loop in loops_of(object_file) if "fmla" not in mnemonics(loop)]
    best = max(loops, key=lambda loop: mnemonics(loop).count(mark), default=[])
    if mark not in mnemonics(best):
        raise EmulationError(f"{object_file.name} has no loop of {mark}; it must have one")
    # Among equals the shortest: a compiler may keep a second copy for the first round.
    most = mnemonics(best).count(mark)
    return min((loop for loop in loops if mnemonics(loop).count(mark) == most), key=len)


def ideal_loop(loop: list[str]) -> list[str]:
    """As many multiplications, each into a register that none of its neighbours waits for."""
    lines = [line for line in loop if line.split()[0] in PRODUCTS]
    return [
        re.sub(r"v\d+\.", f"v{i % 24}.", line, count=1)
        for i, line in enumerate(map(_sources, lines))
    ]


def _sources(line: str) -> str:
    """The same instruction reading v30 and v31 only."""
    head, *rest = line.split(",")
    registers = iter(("30", "31"))
    return ",".join([head, *(re.sub(r"v\d+\.", f"v{next(registers)}.", part) for part in rest)])


def cycles(loop: list[str], model: str) -> float:
    """llvm-mca's cycles of one iteration."""
    assembly = ROOT / "build" / "arm" / "loop.s"
    body = [line.replace(" again", " .Lagain") for line in loop]
    body = [re.sub(r"^(cbn?z|tbn?z).*", "subs x9, x9, #1\n b.ne .Lagain", line) for line in body]
    assembly.write_text(
        "\n".join([".arch armv8.6-a+i8mm", ".Lagain:", *body, ""]), encoding="ascii"
    )
    said = call(
        ["llvm-mca-19", "-march=aarch64", f"-mcpu={model}", "-mattr=+dotprod,+i8mm",
         f"-iterations={ROUNDS}", assembly]
    )  # fmt: skip
    match = re.search(r"Total Cycles:\s+(\d+)", said)
    if match is None:
        raise EmulationError("llvm-mca printed no cycles; it must print Total Cycles")
    return int(match[1]) / ROUNDS


def measure(core_build: Path) -> list[Loop]:
    """All sets under all their models."""
    rows = []
    for isa, mark in SETS.items():
        objects = list(core_build.glob(f"CMakeFiles/geng_kernels_{isa}.dir/**/kernels.cpp.o"))
        loop = main_loop(objects[0], mark)
        work = sum(PRODUCTS.get(word, 0) for word in mnemonics(loop))
        for model, core in CORES[isa].items():
            ideal = cycles(ideal_loop(loop), model)
            rows.append(Loop(isa, model, core, len(loop), work, cycles(loop, model), ideal))
    return rows


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    options = parser.parse_args()
    folder = ROOT / "build" / "arm"
    try:
        rows = measure(build_core(folder))
    except EmulationError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        "set      model        instructions  multiply-adds  cycles  per multiply-add  ideal  share"
    )
    for r in rows:
        print(f"{r.isa:8} {r.model:12} {r.instructions:12} {r.multiply_adds:14} {r.cycles:7.1f} "
              f"{r.cycles / r.multiply_adds:17.4f} {r.ideal_cycles / r.multiply_adds:6.4f} "
              f"{r.ideal_cycles / r.cycles:5.0%}")  # fmt: skip
    if options.json:
        facts = {
            "command": "python benchmarks/arm/inner_loops.py --json docs/results/arm_mca.json",
            "llvm_mca": call(["llvm-mca-19", "--version"]).split("version ")[1].split()[0],
            "compiler": call(["aarch64-linux-gnu-g++", "--version"]).splitlines()[0],
            "rows": [asdict(row) for row in rows],
        }
        options.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
