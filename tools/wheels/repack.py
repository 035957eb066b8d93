"""A wheel that has the same bytes each time that it is made of the same files."""

from __future__ import annotations

import io
import stat
import time
import zipfile
from pathlib import Path

from targets import BuildError


def rezip(wheel: Path, epoch: int) -> None:
    """Packs a wheel again: names in order, RECORD last as the format advises, one time, plain modes."""
    with zipfile.ZipFile(wheel) as packed:
        files = {name: packed.read(name) for name in packed.namelist() if not name.endswith("/")}
    last = [n for n in files if n.endswith(".dist-info/RECORD")]
    if len(last) != 1:
        raise BuildError(f"{wheel.name} holds {len(last)} files RECORD; it must hold one")
    date = time.gmtime(max(epoch, 315532800))[:6]  # a zip file knows no time before 1980
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name in [*sorted(set(files) - set(last)), *last]:
            info = zipfile.ZipInfo(name, date)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            mode = 0o755 if name.endswith(".so") else 0o644
            info.external_attr = (stat.S_IFREG | mode) << 16
            packed.writestr(info, files[name])
    beside = wheel.with_suffix(".tmp")
    beside.write_bytes(made.getvalue())
    beside.rename(wheel)
