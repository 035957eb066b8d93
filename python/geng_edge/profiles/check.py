"""Whether data is a profile: the part of JSON Schema that ours uses, and what no schema can say.

A device has no ``jsonschema``; the tests compare this with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
}
_WITH_DOT_PRODUCT = ("dotprod", "i8mm", "avx_vnni", "avx512_vnni")


def offences(data: Any, schema: Mapping[str, Any], name: str | None = None) -> list[str]:
    """One sentence for each rule that ``data`` breaks; none for a profile.

    Args:
        data: What a TOML file holds.
        schema: ``firmware_profiles/schema.json``.
        name: The id that the file's name promises, if it has one.
    """
    found = list(_against(data, schema, "", schema))
    return found or list(_among_fields(data, name))


def _against(
    value: Any, rule: Mapping[str, Any], at: str, root: Mapping[str, Any]
) -> Iterator[str]:
    """Offences against one schema; ``at`` is where ``value`` lies."""
    if "$ref" in rule:
        rule = root["$defs"][rule["$ref"].rpartition("/")[2]]
    where = at or "profile"
    if "type" in rule and not _is(value, rule["type"]):
        yield f"{where} is {_shown(value)}; it must be of type {rule['type']}"
        return
    if "enum" in rule and not any(value == v and type(value) is type(v) for v in rule["enum"]):
        allowed = ", ".join(str(one) for one in rule["enum"])
        yield f"{where} is {_shown(value)}; it must be one of {allowed}"
    for key, holds, words in _BOUNDS:
        if key in rule and not holds(value, rule[key]):
            yield f"{where} is {_shown(value)}; it must {words} {rule[key]}"
    if isinstance(value, dict):
        yield from _inside(value, rule, at, root)
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _against(item, rule.get("items", {}), f"{where}[{i}]", root)


_BOUNDS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("minimum", lambda value, bound: value >= bound, "be at least"),
    ("maximum", lambda value, bound: value <= bound, "be at most"),
    ("exclusiveMinimum", lambda value, bound: value > bound, "be above"),
    ("minLength", lambda value, bound: len(value) >= bound, "have a length of at least"),
    ("minItems", lambda value, bound: len(value) >= bound, "have a length of at least"),
    ("maxItems", lambda value, bound: len(value) <= bound, "have a length of at most"),
    ("pattern", lambda value, bound: re.search(bound, value) is not None, "match"),
)


def _inside(
    value: dict[str, Any], rule: Mapping[str, Any], at: str, root: Mapping[str, Any]
) -> Iterator[str]:
    known: Mapping[str, Any] = rule.get("properties", {})
    dot = f"{at}." if at else ""
    for key in rule.get("required", []):
        if key not in value:
            yield f"{dot}{key} is missing; it must be given"
    for key, item in value.items():
        if key in known:
            yield from _against(item, known[key], f"{dot}{key}", root)
        elif rule.get("additionalProperties") is False:
            yield f"{dot}{key} is not known; it must be one of {', '.join(known)}"


def _is(value: Any, kind: str) -> bool:
    """JSON's types: true is no number, 4.0 is a whole one."""
    if isinstance(value, bool):
        return False
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind])


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _among_fields(data: Mapping[str, Any], name: str | None) -> Iterator[str]:
    """What one field says of another."""
    board, sample = data["board"], data["sample"]
    if name is not None and data["id"] != name:
        yield f"id is {data['id']!r}; it must be {name!r}, the file's name"
    for low, high in (("threads", "n_cores"), ("memory_mb", "ram_mb_visible")):
        most = board[high]["value"]
        if sample[low]["value"] > most:
            yield f"sample.{low} is {sample[low]['value']}; it must be at most {high}, {most}"
    ends = board["int8_board_gops"].get("value", [0, 0])
    if ends[0] > ends[1]:
        yield f"board.int8_board_gops is {ends}; it must rise"
    chosen = board["kernel_set"]["value"]
    if ("value" in board["int8_gops_core"]) != (chosen in _WITH_DOT_PRODUCT):
        yield (
            f"board.int8_gops_core beside kernel set {chosen}; it must have a value exactly where "
            f"the set is one of {', '.join(_WITH_DOT_PRODUCT)}"
        )
    for cache in ("l1d_kb", "l2_kb", "l3_kb"):
        if ("value" in board[cache]) != ("cores" in board[cache]):
            yield f"board.{cache} has half of value and cores; it must have both or neither"
