"""A straight-through encounter is one trace over every service that it touched, as the flow table says."""

from __future__ import annotations

import time

import pytest
from bus.flow import ANY, CLAIMS, ELIGIBILITY, FLOW, JOURNEY, PRIOR_AUTH
from flow_types import Line200
from rcm.journey.v1 import journey_pb2
from spans import Edge, Span, edges_of, read_spans

SIMULATOR = "simulator"
STRAIGHT = ("encounter.finished", "encounter.coded", "charges.captured", "claim.built", "claim.submitted")
ASKED = (
    Edge(CLAIMS, ELIGIBILITY, "/rcm.eligibility.v1.EligibilityService/GetCoverageOn"),
    Edge(CLAIMS, PRIOR_AUTH, "/rcm.priorauth.v1.PriorAuthService/FindAuthorization"),
    Edge(ELIGIBILITY, SIMULATOR, "POST /x12/realtime"),
)


def expected_edges(facts: tuple[str, ...]) -> set[Edge]:
    """From the flow table: who hears each of these facts from whom."""
    rows = [flow for flow in FLOW if flow.event in facts and flow.producer != ANY]
    assert len(rows) == len(facts)
    heard = {Edge(flow.producer, consumer, flow.event) for flow in rows for consumer in flow.heard_by()}
    return heard | set(ASKED)


@pytest.fixture(scope="module")
def traces(line: Line200) -> dict[str, list[Span]]:
    """All spans, once the last batch has been written (the exporters write every second)."""
    time.sleep(3)
    return read_spans(line.stack.traces_dir)


@pytest.fixture(scope="module")
def straight(line: Line200) -> list[journey_pb2.Journey]:
    """Journeys of one bundle that were paid without a stop."""
    single = {story.encounter for story in line.run.stories if len(story.files) == 1}
    stages = {"coding", "charge", "submission", "clearinghouse", "payer"}
    found = [
        one
        for one in line.run.journeys
        if one.outcome == "paid" and one.encounter in single and {stage.name for stage in one.stages} == stages
    ]
    assert len(found) > 20
    return found


def burst_of(journey: journey_pb2.Journey, traces: dict[str, list[Span]]) -> list[Span]:
    """The trace in which this journey's encounter came in."""
    roots = [
        trace
        for trace in traces.values()
        if any(
            span.name == "process encounter.finished" and span.attributes.get("rcm.journey.id") == journey.journey_id
            for span in trace
        )
    ]
    assert len(roots) == 1
    return roots[0]


def test_a_straight_encounter_is_one_trace_with_every_edge_of_the_flow_table(
    line: Line200, straight: list[journey_pb2.Journey], traces: dict[str, list[Span]]
) -> None:
    for journey in straight:
        missing = expected_edges(STRAIGHT) - edges_of(burst_of(journey, traces))
        assert not missing, (journey.encounter, missing)


def test_the_check_notices_an_edge_that_is_missing(
    straight: list[journey_pb2.Journey], traces: dict[str, list[Span]]
) -> None:
    trace = burst_of(straight[0], traces)
    without = [span for span in trace if span.service != ELIGIBILITY]
    assert expected_edges(STRAIGHT) - edges_of(without)


def test_what_the_outside_woke_is_a_new_trace_that_links_to_the_burst(
    straight: list[journey_pb2.Journey], traces: dict[str, list[Span]]
) -> None:
    for journey in straight[:20]:
        burst = burst_of(journey, traces)[0].trace_id
        woken = [
            trace
            for trace in traces.values()
            if trace[0].trace_id != burst and any(burst in span.links for span in trace)
        ]
        names = {span.name for trace in woken for span in trace}
        assert any("acknowledged" in name for name in names), journey.encounter


def test_the_journeys_own_trace_has_its_root_and_stages_and_sums_to_its_elapsed_time(
    straight: list[journey_pb2.Journey], traces: dict[str, list[Span]]
) -> None:
    for journey in straight:
        own = traces[journey.journey_id]
        assert {span.service for span in own} == {JOURNEY}
        root = [span for span in own if not span.parent_id]
        assert len(root) == 1
        stages = [span for span in own if span.name.startswith("stage ")]
        assert {span.parent_id for span in stages} == {root[0].span_id}
        assert sum(span.end_ns - span.start_ns for span in stages) == root[0].end_ns - root[0].start_ns
        assert root[0].end_ns - root[0].start_ns == journey.elapsed_us * 1000
