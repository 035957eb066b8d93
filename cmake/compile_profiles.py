"""Make one JSON file of firmware_profiles/, so that a device needs no TOML reader.

python compile_profiles.py FOLDER OUT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # the build backend brings it


def main(folder: Path, out: Path) -> None:
    """Write ``{"schema": ..., "profiles": {id: tables}}``."""
    profiles = [tomllib.loads(f.read_text(encoding="utf-8")) for f in sorted(folder.glob("*.toml"))]
    schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    compiled = {"schema": schema, "profiles": {data["id"]: data for data in profiles}}
    out.write_text(json.dumps(compiled, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
