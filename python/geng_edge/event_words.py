"""Say in one event's words what a text says of several, or of an event without its kind.

The text expert learned of events told one by one: "occasional spikes" and "a glitch" it takes for
none. They become "an occasional spike" and "a spike" before word pieces are cut.
"""

from __future__ import annotations

import re

from geng_edge.number_words import either

#: Plural -> what one of them is. Of no kind in particular is what stands out for a moment: a spike.
_ONE = {
    "spikes": "spike", "dips": "dip", "surges": "surge", "sags": "sag", "dropouts": "dropout",
    "drop-outs": "dropout", "outages": "outage", "interruptions": "interruption", "gaps": "gap",
    "level shifts": "level shift", "outliers": "spike", "glitches": "spike", "anomalies": "spike",
}  # fmt: skip
_NO_KIND = ("outliers", "glitches", "anomalies")
_COUNT = (
    "a few", "a couple of", "a number of", "several", "some", "many", "multiple", "various",
    "two", "three", "four", "five",
)  # fmt: skip
_HOW = (
    "occasional", "frequent", "rare", "random", "sporadic", "intermittent", "infrequent", "isolated",
    "short", "brief", "sharp", "sudden", "abrupt", "narrow", "large", "big", "small", "strong", "high",
    "deep", "short-lived", "momentary", "unexpected",
)  # fmt: skip
_DENIED = re.compile(
    rf"\b(?:no|not|without|nor|or|any|free of|free from|absence of)(?: (?:{either(_HOW)}),?)* $",
    re.IGNORECASE,
)
# Not "two spikes, one at noon and one at night" or "a few dips a day", which are told one by one or recur.
_GOES_ON = (
    r"(?!,? (?:at|around|near)\b|:)"
    r"(?![^.;]*\b(?:one|first|both|respectively|every|each|per|daily|hourly|weekly|an hour|a day|a week)\b)"
)
_SEVERAL = re.compile(
    rf"(?P<with>\b(?:with|has|have|having|shows?|showing) )?(?P<count>\b(?:{either(_COUNT)}|\d\d?) )?"
    rf"(?P<how>(?:\b(?:{either(_HOW)}),? ){{0,3}})\b(?P<what>{either(_ONE)})\b{_GOES_ON}",
    re.IGNORECASE,
)
_OF_NO_KIND = re.compile(
    rf"\b(?P<article>an?|one|the|single) (?P<how>(?:(?:{either(_HOW)}) ){{0,2}})"
    r"(?:outlier|glitch|anomaly)\b",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"\b(?:spik|dip|drop|surge|sag|gap|outage|interrupt|shift|jump|step(?:s up|s down| change)|flat|stuck"
    r"|freez|froze|missing|fall|rise|peak|plunge|offset|offline|silent|blackout|brownout)",
    re.IGNORECASE,
)


def one_by_one(text: str) -> str:
    """``text`` with "occasional spikes" as "an occasional spike", and "a glitch" as "a spike".

    Whatever is denied, counted out ("one at noon and one at night") or recurs stays as it is, and so
    does an anomaly whose kind the text names.
    """
    named = _KIND.search(text) is not None

    def one(found: re.Match[str]) -> str:
        bare = not (found["with"] or found["count"] or found["how"])
        if bare or _is_denied(found) or (named and found["what"].lower() in _NO_KIND):
            return found[0]
        what = found["how"] + _ONE[found["what"].lower()]
        return f"{found['with'] or ''}{'an' if what[0].lower() in 'aeiou' else 'a'} {what}"

    def spike(found: re.Match[str]) -> str:
        if _is_denied(found):
            return found[0]
        article = "a" if found["article"].lower() == "an" and not found["how"] else found["article"]
        return f"{article} {found['how']}spike"

    text = _SEVERAL.sub(one, text)
    return text if named else _OF_NO_KIND.sub(spike, text)


def _is_denied(found: re.Match[str]) -> bool:
    return _DENIED.search(found.string, max(found.start() - 60, 0), found.start()) is not None
