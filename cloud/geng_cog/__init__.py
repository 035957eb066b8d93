"""The cloud half of geng-edge: a task in words becomes descriptions that an edge generates from.

    from geng_cog.cog import Cog
    Cog.load().answer(["temperature sensor in a family home, one week, every 10 minutes"])

``backends/`` write, ``grammar/`` keeps what they write parseable and possible, ``selftrain/`` is section
III-A of the paper, ``evaluate/`` its Table I, ``cli/`` the command ``geng-cog``.
"""

__version__ = "0.1.0"
