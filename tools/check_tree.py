"""Check what no compiler does: which C++ folder includes what, and how large files are.

Prints one sentence per offence and exits with 1 when there is any.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.MULTILINE)
INTRINSICS = r"\w*intrin\.h|arm_\w+\.h"

# Folder -> what its files may include: quoted paths, then headers in angle brackets.
RULES: tuple[tuple[str, str, str], ...] = (
    (r"cpp/include/geng/", r"geng/\w+\.h", rf"(?!{INTRINSICS})[\w./]+"),
    (
        r"cpp/src/cpu/(?!generic/)\w+/",
        r"cpu/kernel_set\.h|cpu/\w+/(\w+\.inl|vec\.h|int8\.h)",
        rf"{INTRINSICS}|cstdint|cstddef|cmath|cstring",
    ),
    (r"cpp/src/diffusion/", r"(geng|core|diffusion)/\w+\.h", rf"(?!{INTRINSICS})[\w./]+"),
    (
        r"cpp/src/(bench|core|format|model)/",
        r"(geng|bench|core|cpu|diffusion|format|model)/\w+\.h",
        rf"(?!{INTRINSICS})[\w./]+",
    ),
)

WEIGHTS_LIMIT = 45_000_000  # bytes, all model files together
FILE_LIMIT = 1_000_000  # bytes, any other file


def tracked() -> list[Path]:
    """Files git knows, relative to the root."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [Path(name) for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def bad_includes(path: Path) -> list[str]:
    """One sentence per include that the rule of this file's folder forbids."""
    for folder, quoted, angled in RULES:
        if re.match(folder, path.as_posix()):
            return [
                f"{path}: includes {header}; files in {path.parent}/ may not"
                for bracket, header in INCLUDE.findall((ROOT / path).read_text(encoding="utf-8"))
                if not re.fullmatch(quoted if bracket == '"' else angled, header)
            ]
    return []


def main() -> int:
    """Run every check over the tracked files."""
    offences: list[str] = []
    weights = 0
    for path in tracked():
        size = (ROOT / path).stat().st_size
        if path.suffix in {".gguf", ".safetensors"}:
            weights += size
        elif size > FILE_LIMIT:
            offences.append(f"{path}: is {size} bytes; it must be at most {FILE_LIMIT}")
        if path.suffix in {".h", ".cpp", ".inl"}:
            offences += bad_includes(path)
    if weights > WEIGHTS_LIMIT:
        offences.append(
            f"model files: are {weights} bytes together; they must be at most {WEIGHTS_LIMIT}"
        )
    for sentence in offences:
        print(sentence, file=sys.stderr)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
