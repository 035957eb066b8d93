"""What a description's spans must be, for any test that writes descriptions."""

from __future__ import annotations

from geng_edge.numbers import find_numbers
from geng_export.data.phrases import Description

#: Number words that a description may use as words, as in "one peak", "no daily cycle".
PLAIN_WORDS = {"zero", "0", "one", "two", "1", "2", "daily", "weekly", "every day"}


def assert_spans_are_numbers(description: Description, interval: float | None) -> None:
    """Every span is a number, and a number without a span is a plain word."""
    found = {
        (n.start, n.end): description.text[n.start : n.end]
        for n in find_numbers(description.text, interval)
    }
    spans = [(s.start, s.end) for s in description.spans]
    assert set(spans) <= set(found), description.text
    rest = {text.lower() for place, text in found.items() if place not in spans}
    assert rest <= PLAIN_WORDS, description.text
