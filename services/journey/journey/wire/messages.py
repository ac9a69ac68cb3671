"""The ledger's own words as messages of the gRPC service, and its questions as the ledger's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from rcm.journey.v1 import journey_pb2 as pb

from journey.model import MONEY, Fact, Journey, Notice, Stage
from journey.search import Search


def stamp_of(instant: datetime | None) -> Timestamp | None:
    """An instant as a message; None stays unset."""
    if instant is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp


def stage_message(stage: Stage) -> pb.Stage:
    """One stage; `ended_at` unset while it lasts."""
    return pb.Stage(
        name=stage.name,
        started_at=stamp_of(stage.started_at),
        ended_at=stamp_of(stage.ended_at),
        elapsed_us=stage.elapsed_us,
        cause=stage.cause,
        round=stage.round,
        loop=stage.loop,
        because=stage.because,
        cents_open=stage.cents_open,
        episode=stage.episode,
    )


def step_message(fact: Fact) -> pb.Step:
    """One fact as a step of the journey."""
    return pb.Step(
        event=fact.type,
        occurred_at=stamp_of(fact.occurred_at),
        producer=fact.producer,
        detail=fact.qualifier or fact.reason,
        event_id=fact.event_id,
        trace_id=fact.trace_id,
        heard_at=stamp_of(fact.heard_at),
    )


def notice_message(notice: Notice) -> pb.Notice:
    """One kind of oddity."""
    return pb.Notice(kind=notice.kind, count=notice.count, us=notice.us)


def journey_message(journey: Journey, facts: Iterable[Fact] = ()) -> pb.Journey:
    """A journey; with the steps where facts are given."""
    known = list(facts)
    return pb.Journey(
        journey_id=journey.journey_id,
        encounter=journey.encounter,
        state=journey.state,
        outcome=journey.outcome,
        reason=journey.reason,
        started_at=stamp_of(journey.started_at),
        ended_at=stamp_of(journey.ended_at),
        elapsed_us=journey.elapsed_us,
        stages=map(stage_message, journey.stages),
        claim_id=journey.claim_id,
        payer_id=journey.payer_id,
        steps=map(step_message, known),
        trace_ids=dict.fromkeys(fact.trace_id for fact in known if fact.trace_id),
        source=journey.source,
        **_standing(journey),
    )


def _standing(journey: Journey) -> dict[str, Any]:
    amounts = {name: journey.cents.get(name, 0) for name in MONEY}
    return amounts | {
        "stage": journey.stage,
        "stage_since": stamp_of(journey.stage_since),
        "stage_cents": journey.stage_cents,
        "payer_class": journey.payer_class,
        "provider": journey.provider,
        "service_on": journey.service_on.isoformat() if journey.service_on else "",
        "finished_at": stamp_of(journey.finished_at),
        "gross_cents": journey.gross_cents,
        "patient_open_cents": journey.patient_open_cents,
        "first_end_at": stamp_of(journey.first_end_at),
        "encounter_to_payment_us": journey.etp_us or 0,
        "loops": journey.loops,
        "notices": list(map(notice_message, journey.notices)),
        "claim_ids": journey.claim_ids,
    }


def search_of(request: pb.FindJourneysRequest) -> Search:
    """The filters of a request."""
    return Search(
        state=request.state,
        outcome=request.outcome,
        stage=request.stage,
        payer_id=request.payer_id,
        payer_class=request.payer_class,
        feed=request.feed,
        text=request.text,
        since=_instant(request, "from"),
        until=_instant(request, "to"),
        after=request.after,
        limit=request.limit,
    )


def _instant(request: pb.FindJourneysRequest, name: str) -> datetime | None:
    stamp: Timestamp = getattr(request, name)
    return stamp.ToDatetime(tzinfo=UTC) if request.HasField(name) else None
