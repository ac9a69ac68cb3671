"""The whole charge capture service as a process: coded visits in, priced charges out, answers over gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from bus.event import decode, open_envelope
from chassis import ask, open_channel
from rcm.billing.v1 import billing_pb2
from rcm.charge.v1 import charge_pb2 as pb
from rcm.charge.v1.charge_pb2_grpc import ChargeCaptureServiceStub
from service_under_test import ServiceUnderTest, running_service


@pytest.fixture(scope="module")
def service(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceUnderTest]:
    with running_service("charge-capture", platform, tmp_path_factory.mktemp("charge-capture")) as running:
        yield running


@pytest.fixture
async def channel(service: ServiceUnderTest) -> grpc.aio.Channel:
    async with open_channel(f"127.0.0.1:{service.grpc_port}") as opened:
        yield opened


async def test_a_coded_visit_is_charged_once_and_stays_in_its_trace(
    service: ServiceUnderTest, coded: Any, tenant: str
) -> None:
    body = coded.line("99213").line("36415").message()
    sent = await service.publish("encounter.coded", body, tenant, "Encounter/e1", times=3)
    await service.publish("encounter.coded", body, tenant, "Encounter/e1", version=2)
    late = coded.line("80053").message()
    await service.publish("encounter.coded", late, tenant, "Encounter/e1", version=3)
    rows = await service.told(tenant, 2)
    assert [row["type"] for row in rows] == ["charges.captured", "work.opened"]
    captured = decode(open_envelope(rows[0]["envelope"]), {})
    assert (captured.journey_id, captured.causation_id) == (sent.journey_id, sent.event_id)
    assert captured.body.total_cents == 17500
    assert rows[0]["trace"].split("-")[1] == sent.trace["traceparent"].split("-")[1]
    assert len(await service.rows("select 1 from charge where tenant = $1", tenant)) == 2


async def test_a_missing_charge_is_added_over_grpc(
    service: ServiceUnderTest, channel: grpc.aio.Channel, coded: Any, tenant: str
) -> None:
    coded.line("99213").add("ServiceRequest", "o1", code="2345-7")
    sent = await service.publish("encounter.coded", coded.message(), tenant, "Encounter/e1")
    await service.told(tenant, 1)
    stub = ChargeCaptureServiceStub(channel)
    (item,) = (await ask(stub.ListMissingCharges, pb.ListMissingChargesRequest(), tenant=tenant)).missing
    assert (item.kind, item.reason) == ("missing-charge", "no-charge")
    only = pb.ListMissingChargesRequest(work_id=item.work_id)
    assert list((await ask(stub.ListMissingCharges, only, tenant=tenant)).missing) == [item]
    other = pb.ListMissingChargesRequest(work_id="x")
    assert not (await ask(stub.ListMissingCharges, other, tenant=tenant)).missing
    answer = pb.AddChargeRequest(work_id=item.work_id, line=billing_pb2.ServiceLine(code="82947"))
    assert (await ask(stub.AddCharge, answer, tenant=tenant)).state == "added"
    rows = await service.told(tenant, 3)
    assert [row["type"] for row in rows] == ["work.opened", "work.closed", "charges.captured"]
    captured = decode(open_envelope(rows[2]["envelope"]), {})
    assert (captured.journey_id, captured.body.total_cents) == (sent.journey_id, 18000)
