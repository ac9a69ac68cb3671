"""A journey gives the same spans again at any time: sent, as rows and as OTLP."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from bus.trace import root_span_id
from chassis.semconv import ALLOWED_ATTRIBUTES
from chassis.span_file import FileExporter
from chassis.telemetry import LastingSpans
from hypothesis import given
from journey.model import Fact, Journey, journey_of
from journey.spans import JourneySpan, otlp_request, readable, root_id, span_rows, spans_of
from ledger_facts import JOURNEY, fact, histories, straight
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TAKEBACK = (fact(20, "payment.reversed", "", 100), fact(21, "payment.posted", "paid", 150))


def journey(*facts: Fact) -> Journey:
    found = journey_of(facts)
    assert found is not None
    return found


def roots(spans: list[JourneySpan]) -> list[JourneySpan]:
    return [span for span in spans if not span.parent_id]


def test_an_open_journey_has_the_spans_of_its_finished_stages_and_no_root() -> None:
    spans = spans_of(journey(*straight()[:4]))
    assert [span.name for span in spans] == ["stage coding", "stage charge"]
    assert {span.parent_id for span in spans} == {root_id(JOURNEY, 0)} == {root_span_id(JOURNEY)}


def test_an_ended_journey_has_one_root_that_its_stages_fill() -> None:
    spans = spans_of(journey(*straight()))
    (root,) = roots(spans)
    stages = [span for span in spans if span.parent_id]
    assert (root.trace_id, root.span_id, root.link_id) == (JOURNEY, root_id(JOURNEY, 0), "")
    assert sum(span.end_ns - span.start_ns for span in stages) == root.end_ns - root.start_ns == 70_000
    assert root.attributes["rcm.outcome"] == "paid"
    assert all("rcm.outcome" not in span.attributes for span in stages)


def test_a_takeback_is_a_new_root_that_links_to_the_old_one() -> None:
    before, after = spans_of(journey(*straight())), spans_of(journey(*straight(), *TAKEBACK))
    first, second = roots(after)
    assert first in before and [first.link_id, second.link_id] == ["", first.span_id]
    assert (second.start_ns, second.end_ns - second.start_ns) == (first.end_ns, 80_000)
    below = [span for span in after if span.parent_id == second.span_id]
    assert [span.name for span in below] == ["stage settled", "stage payer"]
    assert below[1].attributes["rcm.stage.loop"] == "takeback" and below[1].attributes["rcm.rework"] is True
    assert sum(span.end_ns - span.start_ns for span in below) == second.end_ns - second.start_ns


def test_what_follows_changes_no_span_that_was_sent() -> None:
    facts = [*straight(), *TAKEBACK]
    for number in range(1, len(facts)):
        earlier, later = spans_of(journey(*facts[:number])), spans_of(journey(*facts))
        assert [span for span in earlier if span not in later] == []


def test_a_stage_that_a_late_fact_moved_is_another_span() -> None:
    facts = straight()
    earlier = replace(facts[1], occurred_at=facts[1].occurred_at - timedelta(microseconds=1))
    moved = [facts[0], earlier, *facts[2:]]
    before, after = ({span.span_id for span in spans_of(journey(*known))} for known in (facts, moved))
    assert len(before - after) == 2 and len(before & after) == len(before) - 2


def test_nothing_about_a_span_names_a_person_or_leaves_the_allow_list() -> None:
    about = {"payer_class": "medicare", "source": "east", "provider": "1234567893", "service_on": "2026-03-01"}
    spans = spans_of(journey(*(replace(one, detail=about) for one in straight())))
    assert {name for span in spans for name in span.attributes} <= ALLOWED_ATTRIBUTES
    told = json.dumps([dict(span.attributes) for span in spans])
    assert "medicare" in told and "1234567893" not in told and "2026-03-01" not in told


def written(spans: list[JourneySpan], file: Path) -> list[dict[str, object]]:
    """What the span file holds after these spans were sent."""
    lasting = LastingSpans([FileExporter(file)])
    lasting.send(readable(span) for span in spans)
    lasting.shutdown()
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_rows_again_are_those_that_were_sent(tmp_path: Path) -> None:
    spans = spans_of(journey(*straight(), *TAKEBACK))
    once, twice = written(spans, tmp_path / "a"), written(spans, tmp_path / "b")
    assert once == twice and len(once) == len(spans) == 9
    again = json.loads(json.dumps(span_rows(spans)))
    assert again == once
    assert otlp_request(spans) == otlp_request(spans_of(journey(*straight(), *TAKEBACK)))


def test_the_otlp_body_holds_the_same_spans() -> None:
    spans = spans_of(journey(*straight(), *TAKEBACK))
    request = ExportTraceServiceRequest.FromString(otlp_request(spans))
    found = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    assert sorted(span.span_id.hex() for span in found) == sorted(span.span_id for span in spans)
    assert {span.trace_id.hex() for span in found} == {JOURNEY}
    linked = [span for span in found if span.links]
    assert [span.links[0].span_id.hex() for span in linked] == [root_id(JOURNEY, 0)]


@given(histories())
def test_span_ids_are_distinct_and_every_finished_stage_fills_its_root(facts: list[Fact]) -> None:
    found = journey_of(facts)
    if found is None:
        return
    spans = spans_of(found)
    assert len({span.span_id for span in spans}) == len(spans)
    assert len(roots(spans)) == len(found.ends)
    for root in roots(spans):
        below = [span for span in spans if span.parent_id == root.span_id]
        assert sum(span.end_ns - span.start_ns for span in below) == root.end_ns - root.start_ns
    for before, after in pairwise(roots(spans)):
        assert before.end_ns == after.start_ns and after.link_id == before.span_id
