"""``python -m geng_cog.worker``: the command ``geng-cog serve`` by itself, for units and tests."""

from __future__ import annotations

import argparse
import sys

from geng_cog.cli import serve
from geng_edge.errors import GengError


def main() -> int:
    """Parse and run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="geng-cog serve", allow_abbrev=False)
    serve.add_arguments(parser)
    try:
        serve.run(parser.parse_args())
    except GengError as error:
        print(f"geng-cog: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
