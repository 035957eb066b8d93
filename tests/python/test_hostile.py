"""Hostile payloads: whatever comes ends in a message or in a code of the wire, and never in more memory."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from itertools import islice
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geng_edge.wire import codes
from geng_edge.wire.condition import Ask
from support.hostile import FINE, Payloads, question_verdict, verdict
from support.road import accepted, weather

KNOWN = set(codes.MEANINGS) | {FINE}
# What a decoder may hold beside the payload: bounded by the marks it lets through.
MOST_MEMORY = 40 * 2**20
slowly = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


def test_every_kind_of_hostile_payload_is_refused_with_a_code_of_its_own() -> None:
    """W-2, W-9, W-10, C-6, C-7: 3,000 of them here; benchmarks/hostile.py runs 100,000."""
    payloads = Payloads(seed=1)
    seen: Counter[tuple[str, str]] = Counter()
    for kind, payload in islice(payloads, 3000):
        found = verdict(payload)
        assert found in payloads.expected[kind], (kind, found, payload[:300])
        seen[kind, found] += 1
        assert question_verdict(payload) != FINE
    assert {kind for kind, _ in seen} == set(payloads.expected)
    assert seen["changed value", codes.SCHEMA] > 50


@slowly
@given(st.binary(max_size=4000))
def test_bytes_of_any_kind_end_in_a_code(payload: bytes) -> None:
    assert verdict(payload) in KNOWN - {FINE}
    assert question_verdict(payload) in KNOWN - {FINE}


@slowly
@given(json_values)
def test_json_of_any_shape_ends_in_a_code(value: Any) -> None:
    payload = json.dumps(value).encode("utf-8", "surrogatepass")
    assert verdict(payload) in KNOWN - {FINE}
    assert question_verdict(payload) in KNOWN - {FINE}


@slowly
@given(st.data())
def test_a_message_with_any_value_anywhere_ends_in_a_code_or_a_message(data: st.DataObject) -> None:
    tree = json.loads(
        data.draw(st.sampled_from((accepted().to_bytes(), accepted(weather()).to_bytes())))
    )
    place: Any = tree
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(json_values)
    assert verdict(json.dumps(tree).encode("utf-8", "surrogatepass")) in KNOWN


@slowly
@given(st.dictionaries(st.sampled_from(["task", "transaction", "seed", "lifetime", "fingerprint", "x"]),
                       json_values))  # fmt: skip
def test_a_question_with_any_values_ends_in_a_code_or_a_question(changes: dict[str, Any]) -> None:
    message = {**json.loads(Ask("a home").to_bytes()), **changes}
    assert question_verdict(json.dumps(message).encode("utf-8", "surrogatepass")) in KNOWN


def test_no_payload_costs_more_memory_than_is_stated() -> None:
    """W-9: marks bound what reading JSON allocates, headers allocate nothing."""
    payloads = Payloads(seed=2)
    worst = {}
    for kind, make in payloads.makers.items():
        payload = make()
        tracemalloc.start()
        verdict(payload)
        worst[kind] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    for size in (65_000, 21_000):
        many = b'{"a":[' + b"[]," * size + b"0]}"
        tracemalloc.start()
        verdict(many)
        worst[f"{size} lists"] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert max(worst.values()) < MOST_MEMORY, worst
