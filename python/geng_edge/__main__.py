"""``python -m geng_edge``: the command line."""

import sys

from geng_edge.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
