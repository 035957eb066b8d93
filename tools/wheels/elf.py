"""What a compiled module must be for the systems it is promised to: read from its ELF headers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

# What every manylinux system has; a C++ library is inside the module or not needed at all.
GLIBC = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1"}
LOADERS = {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "ld-linux-armhf.so.3"}
MUSL = {"libc.so", "libc.musl-aarch64.so.1"}


@dataclass(frozen=True)
class Module:
    """A shared object as its headers describe it.

    Attributes:
        machine: ``EM_X86_64``, ``EM_AARCH64`` or ``EM_ARM``.
        needed: Libraries it asks the loader for.
        alignment: The smallest alignment, in bytes, of its loaded segments.
        congruent: Whether every segment lies at the same place in file and memory, by alignment.
        executable_stack: Whether it asks for one, or says nothing.
        writable_code: Whether a segment is both written and executed.
        search_path: Whether it carries an RPATH or RUNPATH.
        exported: Names that it defines for others.
        hard_float: Whether its floats go in registers (32-bit Arm); True elsewhere.
    """

    machine: str
    needed: frozenset[str]
    alignment: int
    congruent: bool
    executable_stack: bool
    writable_code: bool
    search_path: bool
    exported: frozenset[str]
    hard_float: bool


def read(file: IO[bytes]) -> Module:
    """Reads the headers of an ELF file."""
    elf = ELFFile(file)
    segments = list(elf.iter_segments())
    loaded = [s for s in segments if s["p_type"] == "PT_LOAD"]
    stacks = [s for s in segments if s["p_type"] == "PT_GNU_STACK"]
    dynamic = next(s for s in elf.iter_sections() if isinstance(s, DynamicSection))
    symbols = elf.get_section_by_name(".dynsym")
    exported = {
        s.name
        for s in symbols.iter_symbols()
        if s["st_shndx"] != "SHN_UNDEF"
        and s["st_info"]["bind"] in {"STB_GLOBAL", "STB_WEAK"}
        and s["st_other"]["visibility"] == "STV_DEFAULT"
    }
    arm = elf["e_machine"] == "EM_ARM"
    return Module(
        machine=elf["e_machine"],
        needed=frozenset(t.needed for t in dynamic.iter_tags("DT_NEEDED")),
        alignment=min(s["p_align"] for s in loaded),
        congruent=all((s["p_vaddr"] - s["p_offset"]) % s["p_align"] == 0 for s in loaded),
        executable_stack=not stacks or any(s["p_flags"] & 1 for s in stacks),
        writable_code=any(s["p_flags"] & 3 == 3 for s in loaded),
        search_path=any(t.entry.d_tag in {"DT_RPATH", "DT_RUNPATH"} for t in dynamic.iter_tags()),
        exported=frozenset(exported),
        hard_float=not arm or bool(elf["e_flags"] & 0x400),  # EF_ARM_ABI_FLOAT_HARD
    )


def offences(module: Module, machine: str, page: int, musl: bool) -> list[str]:
    """One sentence for each thing that a promised system would stumble over.

    Args:
        module: What was read.
        machine: What it is to run on.
        page: The largest page, in bytes, of the kernels that must map it.
        musl: Whether the C library is musl, not glibc.
    """
    allowed = MUSL if musl else GLIBC | LOADERS
    found = []
    if module.machine != machine:
        found.append(f"is for {module.machine}; it must be {machine}")
    if strange := sorted(module.needed - allowed):
        found.append(
            f"needs {', '.join(strange)}; it must need none but {', '.join(sorted(allowed))}"
        )
    if module.alignment < page:
        found.append(f"has segments aligned to {module.alignment} bytes; it must be {page} or more")
    if not module.congruent:
        found.append("has a segment that no kernel can map where it lies")
    if module.executable_stack:
        found.append("asks for an executable stack; it must not")
    if module.writable_code:
        found.append("has code that can be written; it must not")
    if module.search_path:
        found.append("carries a search path of libraries; it must not")
    if not module.hard_float:
        found.append("passes floats in integer registers; armhf passes them in its own")
    if strange := sorted(n for n in module.exported if not n.startswith("PyInit_")):
        found.append(f"exports {', '.join(strange[:5])}; it must export PyInit__core alone")
    return found


def check(path: Path, machine: str, page: int, musl: bool) -> list[str]:
    """:func:`offences` of a file, each with its name."""
    with path.open("rb") as file:
        return [f"{path.name} {o}" for o in offences(read(file), machine, page, musl)]
