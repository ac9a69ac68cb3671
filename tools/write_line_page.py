"""Writes docs/the-line.md from the flow table; `--check` only says whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from bus.flow import ANY, FLOW, PARTITIONS, STREAM, SUBJECT_PREFIX

PAGE = Path(__file__).resolve().parent.parent / "docs" / "the-line.md"
INTRODUCTION = f"""# The line

Facts travel on NATS JetStream: stream `{STREAM}`, subjects `{SUBJECT_PREFIX}.<noun>.<past>.<partition>`,
{PARTITIONS} partitions by ordering key. Questions that need an answer now are gRPC calls. A fact carries what the
next step needs. Effect, inbox row and outbox row are one Postgres transaction. This table is written from
`libs/bus/bus/flow.py` by `tools/write_line_page.py`.

| fact | message | told by | heard by |
| --- | --- | --- | --- |
"""
CALLS = """
gRPC: claims-gateway asks eligibility (`GetCoverageOn`) and prior-auth (`FindAuthorization`) before it builds a claim;
people's decisions come in through `ResolveReview`, `AddCharge`, `ReleaseHold` and `ResolveDenial`.
"""


def page() -> str:
    """The whole page."""
    rows = []
    for flow in FLOW:
        producer = "any service" if flow.producer == ANY else flow.producer
        heard = ", ".join(dict.fromkeys(flow.heard_by()))
        rows.append(f"| {flow.event} | {flow.message.DESCRIPTOR.full_name} | {producer} | {heard} |\n")
    return INTRODUCTION + "".join(rows) + CALLS


def main() -> int:
    """0 when the page is (now) up to date."""
    if "--check" in sys.argv:
        if PAGE.read_text() == page():
            return 0
        print("docs/the-line.md is not what the flow table says: run tools/write_line_page.py")
        return 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
