"""What the docstrings of this project say shortly, said as mkdocstrings takes it.

``:class:`name``` becomes a link where it leads, ``count, seed: text`` a line for each name, and the
section ``Example:`` code.
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":(?:class|func|meth|mod|attr):`~?([\w.:]+)`")
SEVERAL = re.compile(r"^( +)(\w+(?:, \w+)+): (.*(?:\n\1 +.*)*)$", re.MULTILINE)


class Roles(Extension):
    """Rewrites every docstring as it is read."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """One module, class or function."""
        if obj.docstring is not None:
            each = SEVERAL.sub(_a_line_each, obj.docstring.value)
            each = each.replace("\nExample:\n", "\nExamples:\n")
            obj.docstring.value = ROLE.sub(
                r'<autoref identifier="\1" optional><code>\1</code></autoref>', each
            )


def _a_line_each(found: re.Match[str]) -> str:
    indent, names, text = found.groups()
    return "\n".join(f"{indent}{name}: {text}" for name in names.split(", "))
