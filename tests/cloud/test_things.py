"""Devices and places of a document, and what may be measured on them."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the cloud package needs torch")

from geng_cog.selftrain.augment import subjects
from geng_cog.selftrain.documents import Document
from geng_cog.selftrain.things import things


def test_things_of_a_document_are_of_sorts_that_scenarios_know() -> None:
    text = "The oil boiler heats a living room; each cold store has two compressors and a Freezer."
    found = things(Document("d", "Heating", text))
    assert {"oil boiler", "living room", "cold store", "freezer"} <= set(found)
    assert not {"oil", "two", "room"} & set(found)
    assert things(Document("d", "Sensors", "A sensor, another sensor.")) == ()


def test_a_document_offers_quantities_of_things_that_have_them() -> None:
    found = subjects(
        Document("d", "Boiler", "Flow temperature of the boiler, heart rate of the boiler.")
    )
    assert ("flow temperature", "boiler") in found
    assert not any("heart" in quantity for quantity, _ in found)
