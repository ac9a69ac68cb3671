"""Channels and messages: what is in force, what came, and a second try for what failed."""

from __future__ import annotations

from typing import Any

import pytest
from console_under_test import signed_in
from google.protobuf.timestamp_pb2 import Timestamp
from owners_under_test import FakeOwners, form_of
from rcm.engine.v1 import channels_pb2, messages_pb2

ID = "0191d2a0-0000-7000-8000-000000000001"
RAW = b"MSH|^~\\&|LAB|NORTH|||20260301||DFT^P03|C1|P|2.5\rPID|1||77^^^M||Quill^Ann\rFT1|1|||20260301|||99999\r"
HOSTILE = "<script>alert(1)</script>"


def message(**given: Any) -> messages_pb2.FeedMessage:
    numbers = {"control_id": "C1", "account": "A77", "visit": "V9", "mrn": "M5"}
    found = {"state": "failed", "reason": "code-missing", "path": "FT1-7", "position": 9}
    told = {"id": ID, "channel": "north", "kind": "DFT^P03", "received_at": Timestamp(seconds=1), **numbers, **found}
    return messages_pb2.FeedMessage(**{**told, **given})


@pytest.fixture
def known(owners: FakeOwners) -> FakeOwners:
    owners.answers["SearchMessages"] = messages_pb2.SearchMessagesResponse(messages=[message()], next=8)
    owners.answers["GetMessage"] = messages_pb2.GetMessageResponse(message=message(), raw=RAW)
    owners.answers["ReplayMessages"] = messages_pb2.ReplayMessagesResponse(replayed=[ID])
    owners.answers["DismissMessage"] = messages_pb2.DismissMessageResponse(message=message(state="dismissed"))
    return owners


@pytest.mark.parametrize("by", ["control_id", "account", "visit", "resource", "mrn"])
async def test_the_search_asks_for_the_number_that_was_chosen(
    platform: Any, tenant: str, known: FakeOwners, by: str
) -> None:
    async with signed_in(platform, tenant, "viewer", channels=known.channel) as browser:
        given = {"channel": "north", "state": "failed", "by": by, "text": " Encounter/7 ", "before": 12}
        page = (await browser.get("/messages", params=given)).text
        (call,) = known.asked("SearchMessages")
        assert call.request == messages_pb2.SearchMessagesRequest(
            channel="north", states=["failed"], before=12, limit=50, **{by: "Encounter/7"}
        )
        assert f"/messages/{ID}" in page and "before=8" in page and "FT1-7" in page
        for secret in ("A77", "V9", "M5"):
            assert secret not in page


async def test_a_number_of_an_unknown_kind_is_not_looked_for(platform: Any, tenant: str, known: FakeOwners) -> None:
    async with signed_in(platform, tenant, "viewer", channels=known.channel) as browser:
        await browser.get("/messages", params={"by": "states", "text": "x"})
        assert known.asked("SearchMessages")[0].request == messages_pb2.SearchMessagesRequest(limit=50)


async def test_what_came_is_shown_by_segment_to_billers_alone(platform: Any, tenant: str, known: FakeOwners) -> None:
    async with signed_in(platform, tenant, "viewer", channels=known.channel) as browser:
        assert (await browser.get(f"/messages/{ID}")).status_code == 403
        assert known.calls == []
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        page = (await browser.get(f"/messages/{ID}")).text
        for text in ("patient numbers", "Quill · Ann", "transaction code", "99999", "financial transaction", "A77"):
            assert text in page, text
        rows = await browser.console.rows("select action, item from console_access where kind = 'message'")
        assert rows == [{"action": "read", "item": ID}]


@pytest.mark.parametrize(
    ("action", "typed", "method", "wanted"),
    [
        ("replay", {}, "ReplayMessages", messages_pb2.ReplayMessagesRequest(ids=[ID])),
        ("dismiss", {"reason": "duplicate"}, "DismissMessage",
         messages_pb2.DismissMessageRequest(id=ID, reason="duplicate")),
    ],
)  # fmt: skip
async def test_a_message_is_replayed_or_dismissed_once(
    platform: Any, tenant: str, known: FakeOwners, action: str, typed: Any, method: str, wanted: Any
) -> None:
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        form = {**form_of((await browser.get(f"/messages/{ID}")).text, action), **typed}
        form["message_id"] = "another"
        for _ in range(2):
            answer = await browser.post(f"/messages/{ID}", data=form)
            assert (answer.status_code, answer.headers["location"]) == (303, f"/messages/{ID}")
        assert [(one.method, one.request) for one in known.effects] == [(method, wanted)]


async def test_what_the_engine_will_not_replay_is_said(platform: Any, tenant: str, known: FakeOwners) -> None:
    known.answers["ReplayMessages"] = messages_pb2.ReplayMessagesResponse(refused=[ID])
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        form = form_of((await browser.get(f"/messages/{ID}")).text, "replay")
        answer = await browser.post(f"/messages/{ID}", data=form)
        assert answer.status_code == 409 and "cannot be replayed" in answer.text


@pytest.mark.parametrize("action", ["accept", "nonsense", ""])
async def test_other_actions_are_none_of_a_message(platform: Any, tenant: str, known: FakeOwners, action: str) -> None:
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        form = form_of((await browser.get(f"/messages/{ID}")).text, "replay")
        assert (await browser.post(f"/messages/{ID}", data={**form, "action": action})).status_code == 409
        assert known.effects == []
        rows = await browser.console.rows("select action from console_access where kind = 'message' order by at")
        assert {"action": "unknown"} in rows


async def test_a_message_in_work_offers_nothing(platform: Any, tenant: str, known: FakeOwners) -> None:
    known.answers["GetMessage"] = messages_pb2.GetMessageResponse(message=message(state="received"), raw=b"{}")
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        assert 'name="action"' not in (await browser.get(f"/messages/{ID}")).text


async def test_channels_with_what_was_refused(platform: Any, tenant: str, owners: FakeOwners) -> None:
    north = channels_pb2.ChannelSummary(name="north", format="hl7v2", transport="mllp", version=3, refused=True)
    owners.answers["ListChannels"] = channels_pb2.ListChannelsResponse(
        channels=[north], refusal="north.yaml:4: no such map"
    )
    owners.answers["GetChannel"] = channels_pb2.GetChannelResponse(
        channel=north,
        versions=[channels_pb2.ChannelVersion(number=3, recorded_by="engine")],
        files=[channels_pb2.NamedFile(name="north.yaml", content=f"name: {HOSTILE}".encode())],
    )
    async with signed_in(platform, tenant, "viewer", channels=owners.channel) as browser:
        page = (await browser.get("/channels")).text
        assert "north.yaml:4: no such map" in page and "change refused" in page and "HL7 v2" in page
        page = (await browser.get("/channels/north")).text
        assert "name: &lt;script&gt;" in page and "<script>alert" not in page


async def test_hostile_messages_are_shown_as_text(platform: Any, tenant: str, known: FakeOwners) -> None:
    bad = message(channel=HOSTILE, control_id=HOSTILE, kind=HOSTILE, reason=HOSTILE, resources=[HOSTILE])
    raw = f"MSH|^~\\&|{HOSTILE}||||||ADT^A01|1|P|2.5\rZZZ|{HOSTILE}\r".encode()
    known.answers["GetMessage"] = messages_pb2.GetMessageResponse(message=bad, raw=raw)
    known.answers["SearchMessages"] = messages_pb2.SearchMessagesResponse(messages=[bad])
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        for page in (await browser.get(f"/messages/{ID}"), await browser.get("/messages", params={"text": HOSTILE})):
            assert page.status_code == 200 and "<script>alert" not in page.text and "&lt;script&gt;" in page.text


async def test_an_engine_that_is_away_is_said(platform: Any, tenant: str, known: FakeOwners) -> None:
    known.away.add("interface-engine")
    async with signed_in(platform, tenant, "biller", channels=known.channel) as browser:
        for path in ("/messages", f"/messages/{ID}", "/channels", "/channels/north"):
            page = await browser.get(path)
            assert page.status_code == 503 and "The service interface-engine does not answer." in page.text
