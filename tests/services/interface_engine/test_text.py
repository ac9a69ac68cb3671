"""Bytes in and out: entries cut out of Bundles and meta put in, with every other byte as it was sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from fhir_r4 import read
from hypothesis import given
from hypothesis import strategies as st
from interface_engine.wire.facets import facets_of
from interface_engine.wire.text import entry_texts, stored_text, with_meta

AT = datetime(2026, 3, 20, 12, 0, 0, 5000, tzinfo=UTC)
VALUES = st.recursive(
    st.one_of(st.text(max_size=8), st.integers(-99, 99), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abcmeta", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
RESOURCES = st.dictionaries(st.text("abcdef", min_size=1, max_size=5), VALUES, max_size=4).map(
    lambda more: {"resourceType": "Basic"} | more
)
SPACES = st.sampled_from(["", " ", "\n  ", "\t"])


@given(st.lists(st.tuples(RESOURCES, SPACES, st.booleans()), max_size=4))
def test_entries_come_out_as_they_were_put_in(rows: list[tuple[dict[str, Any], str, bool]]) -> None:
    texts = [json.dumps(one, indent=1 if wide else None, ensure_ascii=wide).encode() for one, _, wide in rows]
    entries = [
        b'{"resource":' + space.encode() + text + space.encode() + b"}"
        for text, (_, space, _) in zip(texts, rows, strict=True)
    ]
    assert entry_texts(b'\xef\xbb\xbf{"entry":[' + b",".join(entries) + b"]}") == texts


@given(RESOURCES, st.sampled_from([{}, {"meta": {"tag": [{"code": "x"}]}}, {"contained": [{"meta": {"source": "y"}}]}]))
def test_meta_is_added_and_nothing_else_changes(resource: dict[str, Any], more: dict[str, Any]) -> None:
    sent = resource | more
    made = read(with_meta(json.dumps(sent).encode(), 3, AT))
    wanted = sent.get("meta", {}) | {"versionId": "3", "lastUpdated": "2026-03-20T12:00:00.005Z"}
    assert made == sent | {"meta": wanted}


@given(RESOURCES, st.sampled_from([None, "same", "other"]))
def test_a_resource_gets_its_id_and_keeps_its_text_where_it_can(resource: dict[str, Any], said: str | None) -> None:
    sent = resource if said is None else resource | {"id": said}
    text = json.dumps(sent, indent=2).encode()
    content, made = stored_text(text, sent, "same", {})
    assert read(content) == made == sent | {"id": "same"}
    assert (content == text) == (said == "same")
    assert said == "other" or content.endswith(text[1:])


def test_decimals_survive_a_rewritten_reference() -> None:
    text = b'{"resourceType":"ChargeItem","subject":{"reference":"urn:uuid:1"},"factorOverride":1.50}'
    content, made = stored_text(text, read(text), "x", {"urn:uuid:1": "Patient/p1"})
    assert b'"factorOverride":1.50' in content and made["subject"]["reference"] == "Patient/p1"


def test_facets_name_what_leads_where() -> None:
    facets = facets_of(
        {
            "resourceType": "Encounter",
            "status": "finished",
            "identifier": [{"system": "s", "value": "1"}, {"value": "2"}, {"system": "no value"}],
            "subject": {"reference": "Patient/p1"},
            "location": [{"location": {"reference": "Location/l1/_history/2"}}, {"location": {"display": "x"}}],
            "serviceProvider": {"reference": "https://elsewhere.example/Organization/1"},
            "basedOn": [{"reference": "urn:uuid:1"}, {"reference": "#inner"}],
        }
    )
    assert [(link.path, link.to) for link in facets.links] == [
        ("Encounter.subject", "Patient/p1"),
        ("Encounter.location[0].location", "Location/l1"),
    ]
    assert facets.identifiers == (("s", "1"), ("", "2")) and facets.status == "finished"
    assert facets.unresolved == ("Encounter.basedOn[0]",)
