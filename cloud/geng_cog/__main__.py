"""``python -m geng_cog``."""

from __future__ import annotations

import sys

from geng_cog.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
