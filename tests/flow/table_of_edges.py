"""Who calls or feeds whom while an encounter goes through the line: the expected edges of its traces, as a table.

Facts come from the flow table itself; calls are listed here. A burst ends where the line waits for the outside; each
row of PARTS is one trace, with what it must link to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bus.flow import ANY, CLAIMS, ELIGIBILITY, ENGINE, FLOW, PRIOR_AUTH, REMITTANCE
from spans import Edge

SIMULATOR = "simulator"  # plays clearinghouse, payers and bank
COVERAGE = Edge(CLAIMS, ELIGIBILITY, "/rcm.eligibility.v1.EligibilityService/GetCoverageOn")
AUTHORIZATION = Edge(CLAIMS, PRIOR_AUTH, "/rcm.priorauth.v1.PriorAuthService/FindAuthorization")
ASKED = Edge(ELIGIBILITY, SIMULATOR, "POST /x12/realtime")
# Every call from one service to another that a trace may hold. What is not here nobody has thought of.
CALLS = frozenset(
    {
        COVERAGE,
        AUTHORIZATION,
        ASKED,
        Edge(PRIOR_AUTH, SIMULATOR, "POST /x12/realtime"),
        Edge(CLAIMS, SIMULATOR, "POST /x12/batch/{submitter}"),
        Edge(CLAIMS, SIMULATOR, "GET /x12/mailbox/{submitter}"),
        Edge(CLAIMS, SIMULATOR, "GET /x12/mailbox/{submitter}/{id}"),
        Edge(CLAIMS, SIMULATOR, "DELETE /x12/mailbox/{submitter}/{id}"),
        Edge(REMITTANCE, SIMULATOR, "GET /x12/mailbox/{submitter}"),
        Edge(REMITTANCE, SIMULATOR, "GET /x12/mailbox/{submitter}/{id}"),
        Edge(REMITTANCE, SIMULATOR, "DELETE /x12/mailbox/{submitter}/{id}"),
        Edge(ENGINE, ELIGIBILITY, "/rcm.eligibility.v1.EligibilityService/SubmitFhir"),
        Edge(ENGINE, PRIOR_AUTH, "/rcm.priorauth.v1.PriorAuthService/SubmitFhir"),
        Edge(ENGINE, PRIOR_AUTH, "/rcm.priorauth.v1.PriorAuthService/InquireFhir"),
        Edge(ENGINE, CLAIMS, "/rcm.claims.v1.ClaimsService/SubmitFhir"),
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """One trace of a journey: the span that shows which it is, the facts told in it, the calls made in it."""

    name: str
    known_by: str
    facts: tuple[str, ...]
    calls: frozenset[Edge] = frozenset()
    links_to_burst: bool = True
    links_to_journey: bool = True

    def edges(self) -> set[Edge]:
        """All that must be found in the trace."""
        return fact_edges(self.facts) | self.calls


BURST = Part(
    "from the door to the clearinghouse",
    "process encounter.finished",
    ("encounter.finished", "encounter.coded", "charges.captured", "claim.built", "claim.submitted"),
    frozenset({COVERAGE, AUTHORIZATION, ASKED}),
    links_to_burst=False,
    links_to_journey=False,
)
ACKNOWLEDGED = Part("a 999 or 277CA wakes the claim", "claim acknowledged", ("claim.acknowledged",))
SETTLED = Part("an 835 wakes the claim", "settle", ("payment.posted",))
PARTS = (BURST, ACKNOWLEDGED, SETTLED)
# The file's own trace: it is for many claims, so it belongs to no journey, and its facts are the payer's.
FILE = Part("an 835 comes in", "receive 835", ("remittance.received",), links_to_burst=False, links_to_journey=False)


def fact_edges(facts: Iterable[str]) -> set[Edge]:
    """From the flow table: who hears each of these facts from whom."""
    wanted = set(facts)
    rows = [flow for flow in FLOW if flow.event in wanted and flow.producer != ANY]
    assert len(rows) == len(wanted)
    return {Edge(flow.producer, consumer, flow.event) for flow in rows for consumer in flow.heard_by()}


def is_expected(edge: Edge) -> bool:
    """Whether a row of the flow table or of CALLS gives this edge. A fact of anybody may come from anybody."""
    if edge in CALLS:
        return True
    rows = [flow for flow in FLOW if flow.event == edge.what and edge.callee in flow.heard_by()]
    return any(flow.producer in (ANY, edge.caller) for flow in rows)
