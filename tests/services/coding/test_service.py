"""The whole coding service as a process: facts in, facts out, one trace, and the coder's queue over gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from bus.event import decode, open_envelope
from chassis import ask, open_channel
from kernel.errors import Refused
from rcm.coding.v1 import coding_pb2 as pb
from rcm.coding.v1.coding_pb2_grpc import CodingServiceStub
from service_under_test import ServiceUnderTest, running_service


@pytest.fixture(scope="module")
def service(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceUnderTest]:
    with running_service("coding", platform, tmp_path_factory.mktemp("coding")) as running:
        yield running


@pytest.fixture
async def channel(service: ServiceUnderTest) -> grpc.aio.Channel:
    async with open_channel(f"127.0.0.1:{service.grpc_port}") as opened:
        yield opened


async def test_a_visit_is_coded_once_and_stays_in_its_trace(
    service: ServiceUnderTest, office: Any, tenant: str
) -> None:
    sent = await service.publish("encounter.finished", office.message(), tenant, "Encounter/e1", times=3)
    await service.publish("encounter.finished", office.message(), tenant, "Encounter/e1", version=2)
    office.visit("99215")
    await service.publish("encounter.amended", office.message(), tenant, "Encounter/e1", version=3)
    rows = await service.told(tenant, 2)
    assert [row["type"] for row in rows] == ["encounter.coded", "work.opened"]
    coded = decode(open_envelope(rows[0]["envelope"]), {})
    assert (coded.journey_id, coded.causation_id) == (sent.journey_id, sent.event_id)
    assert rows[0]["trace"].split("-")[1] == sent.trace["traceparent"].split("-")[1]


async def test_a_coder_resolves_over_grpc(
    service: ServiceUnderTest, channel: grpc.aio.Channel, office: Any, tenant: str
) -> None:
    sent = await service.publish("encounter.finished", office.visit("99215").message(), tenant, "Encounter/e1")
    await service.told(tenant, 1)
    stub = CodingServiceStub(channel)
    (review,) = (await ask(stub.ListReviews, pb.ListReviewsRequest(), tenant=tenant)).reviews
    assert [line.code for line in review.lines] == ["99215"] and review.diagnoses and review.kind == "coder-review"
    only = pb.ListReviewsRequest(work_id=review.work_id)
    assert list((await ask(stub.ListReviews, only, tenant=tenant)).reviews) == [review]
    assert not (await ask(stub.ListReviews, pb.ListReviewsRequest(work_id="x"), tenant=tenant)).reviews
    word = pb.ResolveReviewRequest(work_id=review.work_id, action="accept")
    assert (await ask(stub.ResolveReview, word, tenant=tenant)).state == "resolved"
    assert (await ask(stub.ResolveReview, word, tenant=tenant)).state == "resolved"
    rows = await service.told(tenant, 3)
    assert [row["type"] for row in rows] == ["work.opened", "work.closed", "encounter.coded"]
    coded = decode(open_envelope(rows[2]["envelope"]), {})
    assert coded.journey_id == sent.journey_id
    assert coded.body.reviewed
    waited = sent.trace["traceparent"].split("-")[1]
    assert rows[2]["trace"].split("-")[1] not in ("", waited)  # a person's wait ends the burst: a new, linked trace
    with pytest.raises(Refused) as unknown:
        await ask(stub.ResolveReview, pb.ResolveReviewRequest(work_id="x", action="accept"), tenant=tenant)
    assert (unknown.value.code, unknown.value.kind) == ("review-unknown", "not_found")


async def test_what_is_unreadable_goes_to_the_dead_letters(service: ServiceUnderTest, office: Any, tenant: str) -> None:
    body = office.message()
    body.facts.snapshot = b"{"
    await service.publish("encounter.finished", body, tenant, "Encounter/e1")
    await service.publish("encounter.finished", office.message(), tenant, "Encounter/e1", version=2)
    assert [row["type"] for row in await service.told(tenant, 1)] == ["encounter.coded"]
    (dead,) = await service.rows("select reason from dead_letter where tenant = $1", tenant)
    assert dead["reason"].startswith("json")
