"""What is released goes on working: docs/compatibility.md, each sentence of it as a test."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import numpy as np
import pytest

from geng_edge import Generator, _core
from geng_edge.errors import ModelFileError
from support import make_golden_series as golden

ROOT = Path(__file__).parents[2]
MODELS = sorted(golden.facts()["models"])
#: Every kernel set of cpp/src/cpu/kernel_sets.cpp, by the machine that runs it.
SETS = {
    "x86_64": ["scalar", "avx2", "avx_vnni", "avx512", "avx512_vnni"],
    "aarch64": ["neon", "dotprod", "i8mm"],
    "armv7l": ["armv7_neon"],
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_every_released_format_loads(name: str) -> None:
    metadata = Generator.load(golden.GOLDEN / f"{name}.gguf", threads=1).model.metadata
    assert metadata["geng.format_version"] == golden.facts()["models"][name]["format"]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("isa", golden.kernel_sets())
def test_a_golden_model_draws_the_golden_series_of_a_kernel_set(isa: str, name: str) -> None:
    drawn, kept = golden.draw(name, isa), np.load(golden.kept(name, isa), allow_pickle=False)
    if list(platform.libc_ver()) == golden.facts()["libc"]:
        assert drawn.tobytes() == kept.tobytes()
    else:  # another C library rounds its sines and exponentials otherwise
        assert golden.apart(drawn, kept) <= golden.TOLERANCE


@pytest.mark.parametrize("name", MODELS)
def test_golden_series_of_all_kernel_sets_are_kept_and_agree(name: str) -> None:
    scalar = np.load(golden.kept(name, "scalar", "x86_64"), allow_pickle=False)
    for machine, sets in SETS.items():
        for isa in sets:
            series = np.load(golden.kept(name, isa, machine), allow_pickle=False)
            assert series.dtype == np.float32
            assert golden.apart(series, scalar) <= golden.TOLERANCE, f"{machine} {isa}"


def test_the_page_says_how_far_golden_series_are_apart() -> None:
    assert golden.table() in (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")


def test_no_kernel_set_is_without_a_golden_series() -> None:
    source = (ROOT / "cpp/src/cpu/kernel_sets.cpp").read_text(encoding="utf-8")
    known = {isa for sets in SETS.values() for isa in sets}
    assert set(re.findall(r"&(\w+)::kernels", source)) == known
    assert {entry["name"] for entry in _core.kernel_sets()} <= known


def test_a_model_of_a_later_format_is_refused_in_one_sentence(tmp_path: Path) -> None:
    whole = (golden.GOLDEN / "tiny.gguf").read_bytes()
    key = b"geng.format_version"
    at = whole.index(key) + len(key) + 4  # its type stands between
    later = tmp_path / "later.gguf"
    later.write_bytes(whole[:at] + (2).to_bytes(4, "little") + whole[at + 4 :])
    with pytest.raises(ModelFileError, match="format 2; this build reads 1"):
        Generator.load(later)


def _version(path: str, pattern: str) -> str:
    found = re.search(pattern, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{path} names no version"
    return found.group(1)


def test_every_package_has_the_one_version() -> None:
    ours = _version("CMakeLists.txt", r"^project\(geng_edge VERSION ([\d.]+)")
    for path in ("export/pyproject.toml", "cloud/pyproject.toml"):
        assert _version(path, r'^version = "([\d.]+)"') == ours
    assert _version("CITATION.cff", r'^version: "?([\d.]+)') == ours
    assert _core.version() == ours


def test_the_model_package_has_the_version_of_its_format() -> None:
    major = int(_version("packaging/model/pyproject.toml", r'^version = "(\d+)\.'))
    written = _version("export/geng_export/targets/gguf.py", r"^FORMAT_VERSION = (\d+)")
    read = _version("cpp/src/format/model_layout.cpp", r"this build reads (\d+)")
    assert major == int(written) == int(read)
    asked = _version("pyproject.toml", r"^without-a-model = (.*)$")
    assert asked == f'["geng-edge-model>={major}.0,<{major + 1}"]'
