"""Firmware profiles: what is known of a board, and how geng-edge runs on it.

``load("rpi4")`` gives a bundled profile, ``load("my_board.toml")`` one from a file; ``names()`` lists the
bundled ones. The files are in ``firmware_profiles/`` of the source tree.
"""

from __future__ import annotations

from geng_edge.profiles.profile import Fact, Profile
from geng_edge.profiles.store import load, names

__all__ = ["Fact", "Profile", "load", "names"]
