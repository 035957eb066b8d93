"""What makes and checks wheels refuses what a promised system would stumble over."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

import elf
import targets
from geng_edge import _core
from geng_edge.generator import bundled_model
from repack import rezip


@pytest.fixture(scope="module")
def module() -> elf.Module:
    with Path(_core.__file__).open("rb") as file:
        return elf.read(file)


GOOD = elf.Module("EM_AARCH64", frozenset({"libc.so.6"}), 65536, True, False, False, False,
                  frozenset({"PyInit__core"}), True)  # fmt: skip


def test_the_module_at_hand_is_read_as_it_is(module: elf.Module) -> None:
    assert "PyInit__core" in module.exported
    assert "libc.so.6" in module.needed
    assert module.congruent
    assert not module.executable_stack
    assert not module.writable_code


def test_a_module_that_keeps_the_rules_passes() -> None:
    assert elf.offences(GOOD, "EM_AARCH64", 65536, musl=False) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"machine": "EM_386"}, "is for EM_386; it must be EM_AARCH64"),
        ({"needed": frozenset({"libstdc++.so.6"})}, "needs libstdc++.so.6; it must need none but"),
        ({"alignment": 4096}, "has segments aligned to 4096 bytes; it must be 65536 or more"),
        ({"congruent": False}, "has a segment that no kernel can map where it lies"),
        ({"executable_stack": True}, "asks for an executable stack"),
        ({"writable_code": True}, "has code that can be written"),
        ({"search_path": True}, "carries a search path of libraries"),
        ({"hard_float": False}, "passes floats in integer registers"),
        ({"exported": frozenset({"geng_load"})}, "exports geng_load; it must export PyInit__core"),
    ],
)
def test_a_module_that_breaks_a_rule_is_named(change: dict[str, object], sentence: str) -> None:
    (offence,) = elf.offences(replace(GOOD, **change), "EM_AARCH64", 65536, musl=False)  # type: ignore[arg-type]
    assert offence.startswith(sentence)


def test_arm_modules_are_aligned_for_every_page_size_that_arm_kernels_have() -> None:
    for target in targets.TARGETS.values():
        if target.host != "linux-x86_64":
            assert target.page % 16384 == 0  # Raspberry Pi OS on a Pi 5
            assert target.page % 65536 == 0  # enterprise kernels


def test_every_glibc_target_is_older_than_asked() -> None:
    for name, target in targets.TARGETS.items():
        if "musl" in name:
            assert target.tag == "musllinux_1_2_aarch64"
            continue
        version = target.zig.rsplit("gnu", 1)[1].removeprefix("eabihf").lstrip(".").split(".")
        assert tuple(int(v) for v in version) <= (2, 28)
        assert target.tag == f"manylinux_{'_'.join(version)}_{target.host.removeprefix('linux-')}"


def _wheel(path: Path, order: list[str], date: tuple[int, int, int, int, int, int]) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name in order:
            packed.writestr(zipfile.ZipInfo(name, date), f"content of {name}\n" * 100)
    return path


def test_a_wheel_packed_again_has_one_order_one_date_and_the_same_bytes(tmp_path: Path) -> None:
    names = ["a/b.py", "a/_core.so", "x-1.dist-info/METADATA", "x-1.dist-info/RECORD"]
    first = _wheel(tmp_path / "first.whl", names, (2020, 1, 2, 3, 4, 6))
    second = _wheel(tmp_path / "second.whl", names[::-1], (2026, 5, 6, 7, 8, 10))
    for wheel in (first, second):
        rezip(wheel, 1767225600)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as packed:
        entries = packed.infolist()
        assert packed.testzip() is None
    assert entries[-1].filename.endswith("RECORD")
    assert {entry.date_time for entry in entries} == {(2026, 1, 1, 0, 0, 0)}
    modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in entries}
    assert modes["a/_core.so"] == 0o755
    assert modes["a/b.py"] == 0o644


def test_a_wheel_without_a_record_is_refused(tmp_path: Path) -> None:
    wheel = _wheel(tmp_path / "x.whl", ["a/b.py"], (2020, 1, 1, 0, 0, 0))
    with pytest.raises(targets.BuildError, match="holds 0 files RECORD; it must hold one"):
        rezip(wheel, 0)


def test_every_weight_is_aligned_in_the_file() -> None:
    # A mapping begins on a page, of 4, 16 or 64 KiB: an offset in the file is one in memory.
    gguf = pytest.importorskip("gguf")
    offsets = [int(t.data_offset) for t in gguf.GGUFReader(bundled_model()).tensors]
    assert len(offsets) > 100
    assert {offset % 32 for offset in offsets} == {0}
