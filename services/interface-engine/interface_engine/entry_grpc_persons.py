"""The gRPC door to persons: who is who, what waits for a decision, and merges."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from bus import Database, Unit
from chassis import call_of
from google.protobuf.timestamp_pb2 import Timestamp
from kernel.errors import Refused, Unavailable, Unreadable
from rcm.engine.v1 import persons_pb2 as pb
from rcm.engine.v1.persons_pb2_grpc import PersonServiceServicer

from interface_engine.entry_persons import take_back_merge
from interface_engine.handlers.persons import decide
from interface_engine.model import Client
from interface_engine.model_persons import Merge, Pair
from interface_engine.store import RETRIED
from interface_engine.store.merges import Merges
from interface_engine.store.persons import Persons

_PAGE, _LARGEST_PAGE, _TRIES = 50, 500, 6
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}", re.ASCII)
_BY = re.compile(r"[A-Za-z0-9.@_-]{1,64}", re.ASCII)
Made = TypeVar("Made")


@dataclass(frozen=True)
class PersonServicer(PersonServiceServicer):
    """Persons of the caller's tenant."""

    database: Database

    async def GetPerson(self, request: pb.GetPersonRequest, context: Any) -> pb.GetPersonResponse:
        patient = _id(request.patient, "patient")
        async with self.database.unit(call_of(context).tenant) as unit:
            index = Persons(unit)
            found = await index.find([patient])
            own = found.records.get(patient)
            if own is None:
                raise Refused("patient-not-found", "there is no such Patient", "not_found")
            ids = sorted(one.patient for one in found.records.values() if one.person == own.person)
            texts = {row["id"]: row["bytes"] for row in await index.patients(ids)}
        return pb.GetPersonResponse(
            person=own.person,
            patients=[pb.PersonPatient(id=one, patient=texts.get(one, b"")) for one in ids],
            pairs=[_pair(pair) for key, pair in sorted(found.pairs.items()) if set(key) & set(ids)],
        )

    async def ListReviews(self, request: pb.ListReviewsRequest, context: Any) -> pb.ListReviewsResponse:
        async with self.database.unit(call_of(context).tenant) as unit:
            pairs = await Persons(unit).open_pairs(None, _limit(request.limit))
        return pb.ListReviewsResponse(pairs=[_pair(one) for one in pairs])

    async def DecidePair(self, request: pb.DecidePairRequest, context: Any) -> pb.DecidePairResponse:
        first, second = _id(request.first, "first"), _id(request.second, "second")
        by = _by(request.by)

        async def decided(unit: Unit) -> Pair:
            return await decide(Persons(unit), first, second, request.same, by)

        return pb.DecidePairResponse(pair=_pair(await self._retrying(call_of(context).tenant, decided)))

    async def ListMerges(self, request: pb.ListMergesRequest, context: Any) -> pb.ListMergesResponse:
        patient = _id(request.patient, "patient") if request.patient else ""
        async with self.database.unit(call_of(context).tenant) as unit:
            merges = await Merges(unit).merges(patient, request.undone, _limit(request.limit))
        return pb.ListMergesResponse(merges=[_merge(one) for one in merges])

    async def UndoMerge(self, request: pb.UndoMergeRequest, context: Any) -> pb.UndoMergeResponse:
        merge_id, tenant, by = _id(request.id, "id"), call_of(context).tenant, _by(request.by)

        async def undone(unit: Unit) -> tuple[Merge, int]:
            merge, changed = await take_back_merge(unit, Client(by, tenant, "default"), merge_id)
            return merge, len(changed)

        merge, restored = await self._retrying(tenant, undone)
        return pb.UndoMergeResponse(merge=_merge(merge), restored=restored)

    async def _retrying(self, tenant: str, attempt: Callable[[Unit], Awaitable[Made]]) -> Made:
        for _ in range(_TRIES):
            try:
                async with self.database.unit(tenant) as unit:
                    return await attempt(unit)
            except RETRIED:
                continue
        raise Unavailable("write_contention", "others write the same resources; try again", 1.0)


def _id(text: str, path: str) -> str:
    bare = text.removeprefix("Patient/")
    if not _ID.fullmatch(bare):
        raise Unreadable("person-id", path, "an id is needed")
    return bare


def _by(text: str) -> str:
    if not _BY.fullmatch(text):
        raise Unreadable("decided-by", "by", "who decides is needed: letters, digits, . @ _ -")
    return text


def _limit(wanted: int) -> int:
    return min(wanted, _LARGEST_PAGE) if wanted > 0 else _PAGE


def _pair(pair: Pair) -> pb.PatientPair:
    return pb.PatientPair(
        first=pair.low,
        second=pair.high,
        state=pair.state,
        score=pair.score,
        fired=pair.fired,
        reason=pair.reason,
        merged=pair.merged,
        decided_by=pair.decided_by,
        changed_at=_instant(pair.changed_at),
    )


def _merge(merge: Merge) -> pb.PatientMerge:
    return pb.PatientMerge(
        id=merge.id,
        prior=merge.prior,
        survivor=merge.survivor,
        merged_by=merge.merged_by,
        merged_at=_instant(merge.merged_at),
        changes=merge.changes,
        undone_at=_instant(merge.undone_at),
        undone_by=merge.undone_by,
    )


def _instant(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    made = Timestamp()
    made.FromDatetime(moment)
    return made
