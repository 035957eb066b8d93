"""An aarch64 Python with the peers' own wheels, unpacked beside the build.

Nothing is installed into the host and nothing runs as the other architecture to make it: a Debian is
unpacked, as for the trial of our own wheels. The wheels are the ones a Raspberry Pi gets.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from emulate import ROOT, Core, EmulationError, call

sys.path.insert(0, str(ROOT / "tools" / "wheels"))
from sysroot import PYTHON, unpack

WHEELS = ("numpy", "onnxruntime", "ai-edge-litert")


def _pip_install(site: Path) -> None:
    beside = site.with_suffix(".tmp")
    shutil.rmtree(beside, ignore_errors=True)
    platforms = ("manylinux_2_28", "manylinux_2_27", "manylinux2014", "linux")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--target",
        beside,
    ]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", PYTHON]
    for platform in platforms:
        command += ["--platform", f"{platform}_aarch64"]
    call([*command, *WHEELS])
    beside.rename(site)


class Userland:
    """The unpacked system and the wheels, made once and kept."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "debian"
        self.site = folder / "site"
        if not self.root.exists():
            unpack(self.root, "arm64", ["python3"], call)
        if not self.site.exists():
            _pip_install(self.site)
        self.python = self.root / "usr" / "bin" / f"python{PYTHON}"
        self.environment = {
            "PYTHONHOME": str(self.root / "usr"),
            "PYTHONPATH": str(self.site),
            "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }

    def versions(self) -> dict[str, str]:
        """Version of each wheel."""
        found = {}
        for info in self.site.glob("*.dist-info"):
            name, _, version = info.name.removesuffix(".dist-info").partition("-")
            if name.replace("_", "-") in WHEELS:
                found[name.replace("_", "-")] = version
        if len(found) != len(WHEELS):
            raise EmulationError(f"{self.site} has {sorted(found)}; it must have {list(WHEELS)}")
        return found

    def describe(self, core: Core) -> None:
        """Lets /proc/cpuinfo and /sys tell of four such cores, as on a board.

        The peers choose their kernels by what they read there. The emulator would show them the
        host's files, which crash one and mislead the other.
        """
        part, variant, revision = core.midr >> 4 & 0xFFF, core.midr >> 20 & 0xF, core.midr & 0xF
        text = "".join(
            f"processor\t: {i}\nBogoMIPS\t: 108.00\nFeatures\t: {core.features}\n"
            f"CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: {variant:#x}\n"
            f"CPU part\t: {part:#05x}\nCPU revision\t: {revision}\n\n"
            for i in range(4)
        )
        _write(self.root / "proc/cpuinfo", text)
        cpus = self.root / "sys/devices/system/cpu"
        for name in ("possible", "present", "online"):
            _write(cpus / name, "0-3\n")
        _write(cpus / "kernel_max", "3\n")
        for i in range(4):
            one = cpus / f"cpu{i}"
            _write(one / "cpufreq/cpuinfo_max_freq", "1500000\n")
            _write(one / "cpufreq/cpuinfo_min_freq", "600000\n")
            _write(one / "topology/core_id", f"{i}\n")
            _write(one / "topology/physical_package_id", "0\n")
            _write(one / "topology/core_siblings_list", "0-3\n")
            _write(one / "topology/thread_siblings_list", f"{i}\n")
            _write(one / "regs/identification/midr_el1", f"{core.midr:#018x}\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
