"""The work queues: what a form says is what its owner is asked, once, by who may, and refusals are told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from console_under_test import NOW, csrf_of, signed_in, tell
from kernel.errors import Refused, Unreadable
from owners_under_test import FakeOwners, work_opened
from rcm.claims.v1 import claims_pb2
from rcm.engine.v1 import engine_pb2, messages_pb2
from work_under_test import (
    CLAIM,
    HOSTILE,
    MESSAGE,
    NAMES,
    ROWS,
    at_work,
    denied,
    failed,
    filled,
    held,
    missing,
    rejected,
    review,
    twins,
)


async def accesses(browser: Any, kind: str = "work") -> list[str]:
    rows = await browser.console.rows("select action from console_access where kind = $1 order by at, action", kind)
    return [row["action"] for row in rows]


@pytest.mark.parametrize(("kind", "known", "action", "typed", "method", "wanted"), ROWS, ids=NAMES)
async def test_an_action_is_one_call_of_its_owner_however_often_it_is_posted(
    platform: Any,
    tenant: str,
    owners: FakeOwners,
    kind: str,
    known: Any,
    action: str,
    typed: Any,
    method: str,
    wanted: Any,
) -> None:
    known(owners)
    async with at_work(platform, tenant, owners, kind) as browser:
        form = await filled(browser, action, typed)
        first = await browser.post("/work/w1", data=form)
        again = await browser.post("/work/w1", data=form)
        assert (first.status_code, first.headers["location"]) == (303, "/work/w1"), first.text
        assert again.status_code == 303
        calls = owners.asked(method)
        for call in calls:
            if "idempotency_key" in call.request.DESCRIPTOR.fields_by_name:
                assert call.request.idempotency_key == call.key
                call.request.ClearField("idempotency_key")
        assert [call.request for call in calls] == [wanted] * len(calls)
        assert {(call.tenant, call.key) for call in calls} == {(tenant, form["key"][0])}
        assert [one.method for one in owners.effects] == [method]
        said = (await browser.get("/work/w1")).text
        assert 'role="status"' in said
        assert (await accesses(browser)).count(action) == 2


@pytest.mark.parametrize(("kind", "known", "action", "typed", "method", "wanted"), ROWS, ids=NAMES)
async def test_a_refusal_is_told_in_the_owners_words_beside_what_was_typed(
    platform: Any,
    tenant: str,
    owners: FakeOwners,
    kind: str,
    known: Any,
    action: str,
    typed: Any,
    method: str,
    wanted: Any,
) -> None:
    known(owners)
    async with at_work(platform, tenant, owners, kind) as browser:
        form = await filled(browser, action, typed)
        owners.answers[method] = Refused("no", "it is too late for that")
        answer = await browser.post("/work/w1", data=form)
        assert answer.status_code == 409
        assert "it is too late for that" in answer.text
        for name, value in typed.items():
            if isinstance(value, str) and name != "reason":
                assert f'value="{value}"' in answer.text, name


async def test_a_viewer_sees_and_may_not_decide(platform: Any, tenant: str, owners: FakeOwners) -> None:
    held(owners)
    async with at_work(platform, tenant, owners, "claim-hold", "viewer") as browser:
        page = await browser.get("/work/w1")
        assert page.status_code == 200 and "no authorization" in page.text
        assert 'name="action"' not in page.text
        mine = {"action": "release", "key": "0191d2a0-0000-7000-8000-000000000009", "claim_id": CLAIM}
        answer = await browser.post("/work/w1", data={**mine, "csrf": await token(browser)})
        assert answer.status_code == 403
        assert owners.effects == [] and "release" not in await accesses(browser)


async def token(browser: httpx.AsyncClient) -> str:
    """The CSRF token that the page's sign-out form carries."""
    return csrf_of(await browser.get("/work"))


@pytest.mark.parametrize("csrf", ["", "0" * 64])
async def test_a_form_without_our_token_does_nothing(platform: Any, tenant: str, owners: FakeOwners, csrf: str) -> None:
    held(owners)
    async with at_work(platform, tenant, owners, "claim-hold") as browser:
        form = await filled(browser, "release", {"csrf": csrf})
        answer = await browser.post("/work/w1", data=form)
        assert answer.status_code == 403
        assert owners.effects == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"key": ""}, "the form is not complete"),
        ({"waive": ["'; drop table claim"]}, "choose of what is offered"),
        ({"authorization": "a|b~"}, "letters, digits"),
        ({"action": "write-off"}, "does not offer that"),
        ({"action": "nonsense"}, "does not offer that"),
        ({"claim_id": ""}, "names no claim"),
    ],
)
async def test_what_is_entered_wrongly_reaches_no_owner(
    platform: Any, tenant: str, owners: FakeOwners, typed: Any, told: str
) -> None:
    held(owners)
    async with at_work(platform, tenant, owners, "claim-hold") as browser:
        answer = await browser.post("/work/w1", data=await filled(browser, "release", typed))
        assert answer.status_code == 409 and told in answer.text
        assert owners.effects == []


@pytest.mark.parametrize("member", ["A*1~NM1", "x"])
async def test_a_member_id_that_x12_could_not_carry_reaches_no_owner(
    platform: Any, tenant: str, owners: FakeOwners, member: str
) -> None:
    rejected(owners)
    async with at_work(platform, tenant, owners, "rejection") as browser:
        answer = await browser.post("/work/w1", data=await filled(browser, "resubmit", {"member": member}))
        assert answer.status_code == 409 and "2 to 80" in answer.text
        assert owners.effects == []


@pytest.mark.parametrize(
    ("kind", "known", "service", "action"),
    [
        ("coder-review", review, "coding", "accept"),
        ("missing-charge", missing, "charge-capture", "add-charge"),
        ("claim-hold", held, "claims-gateway", "release"),
        ("denial", denied, "remittance", "appeal"),
        ("message-failed", failed, "interface-engine", "replay"),
    ],
)
async def test_an_owner_that_is_away_leaves_a_page_that_says_so(
    platform: Any, tenant: str, owners: FakeOwners, kind: str, known: Any, service: str, action: str
) -> None:
    known(owners)
    async with at_work(platform, tenant, owners, kind) as browser:
        form = await filled(browser, action, {"code": "82947"})
        owners.away.add(service)
        page = await browser.get("/work/w1")
        assert page.status_code == 200
        assert service in page.text and "not answer" in page.text and "/health" in page.text
        answer = await browser.post("/work/w1", data=form)
        assert answer.status_code == 503
        assert f"The service {service} does not answer." in answer.text
        assert owners.effects == []


async def test_a_claim_that_stays_on_hold_is_no_success(platform: Any, tenant: str, owners: FakeOwners) -> None:
    held(owners)
    finding = claims_pb2.ClaimFinding(edit_id="edit-06", severity="error", because="no authorization")
    still = claims_pb2.ClaimSummary(claim_id=CLAIM, state="held", findings=[finding])
    owners.answers["ReleaseHold"] = claims_pb2.ReleaseHoldResponse(claim=still)
    async with at_work(platform, tenant, owners, "claim-hold") as browser:
        await browser.post("/work/w1", data=await filled(browser, "release", {}))
        page = (await browser.get("/work/w1")).text
        assert "still on hold" in page and "edit-06" in page and "Released" not in page


async def test_a_message_that_was_replayed_meanwhile_is_not_replayed_again(
    platform: Any, tenant: str, owners: FakeOwners
) -> None:
    failed(owners)
    async with at_work(platform, tenant, owners, "message-failed") as browser:
        form = await filled(browser, "replay", {})
        kept = messages_pb2.FeedMessage(id=MESSAGE, state="kept")
        owners.answers["GetMessage"] = messages_pb2.GetMessageResponse(message=kept)
        answer = await browser.post("/work/w1", data=form)
        assert answer.status_code == 303
        assert owners.asked("ReplayMessages") == []
        assert "moved on meanwhile" in (await browser.get("/work/w1")).text


async def test_hostile_text_is_shown_as_text(platform: Any, tenant: str, owners: FakeOwners) -> None:
    held(owners)
    finding = claims_pb2.ClaimFinding(edit_id=HOSTILE, severity="error", because=HOSTILE, path=HOSTILE)
    claim = claims_pb2.ClaimSummary(claim_id=CLAIM, state="held", payer_id=HOSTILE, findings=[finding])
    owners.answers["GetClaim"] = claims_pb2.GetClaimResponse(claim=claim)
    async with at_work(platform, tenant, owners, "claim-hold", reason=HOSTILE, encounter=HOSTILE) as browser:
        for page in (
            await browser.get("/work/w1"),
            await browser.get("/work"),
            await browser.get("/work", params={"payer": HOSTILE, "kind": HOSTILE, "owner": HOSTILE}),
            await browser.post("/work/w1", data=await filled(browser, "release", {"authorization": HOSTILE})),
        ):
            assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text


async def test_a_work_item_of_another_tenant_is_not_there(platform: Any, tenant: str, owners: FakeOwners) -> None:
    held(owners)
    async with at_work(platform, tenant, owners, "claim-hold") as browser:
        form = await filled(browser, "release", {})
    async with signed_in(platform, f"{tenant}x", "biller", channels=owners.channel) as other:
        assert (await other.get("/work/w1")).status_code == 404
        assert (await other.post("/work/w1", data={**form, "csrf": await token(other)})).status_code == 404
    assert owners.effects == []


async def test_kinds_that_are_settled_elsewhere_say_what_to_do(platform: Any, tenant: str, owners: FakeOwners) -> None:
    owners.answers["GetResource"] = engine_pb2.GetResourceResponse(resource=b'{"resourceType": "Task"}')
    waiting = claims_pb2.ClaimSummary(claim_id=CLAIM, state="held", work_id="w9")
    owners.answers["ListClaims"] = claims_pb2.ListClaimsResponse(claims=[waiting])
    async with at_work(platform, tenant, owners, "coverage-gap") as browser:
        page = (await browser.get("/work/w1")).text
        assert "correct it in the EHR" in page and "/work/w9" in page
        assert 'name="action"' not in page


async def test_two_patients_are_compared_for_those_who_may_decide(
    platform: Any, tenant: str, owners: FakeOwners
) -> None:
    twins(owners)
    async with at_work(platform, tenant, owners, "duplicate-patient") as browser:
        assert "1970-01-02" in (await browser.get("/work/w1")).text
    async with signed_in(platform, tenant, "viewer", channels=owners.channel) as viewer:
        page = (await viewer.get("/work/w1")).text
        assert "1970-01-02" not in page and "role biller" in page


async def test_the_queue_is_filtered_ordered_and_paged(platform: Any, tenant: str, owners: FakeOwners) -> None:
    async with signed_in(platform, tenant, "viewer", channels=owners.channel) as browser:
        late = {"due_on": "2026-03-01", "dollars_cents": 5_000}
        facts = [work_opened(f"d{at:02}", "denial", NOW, dollars_cents=at * 100) for at in range(60)]
        facts += [work_opened("late", "claim-hold", NOW, owner="front-desk", **late)]
        await tell(browser.console, facts)
        every = (await browser.get("/work")).text
        assert every.index("/work/late") < every.index("/work/d59") < every.index("/work/d58")
        assert "17 d late" in every and "Front desk" in every
        following = every.rpartition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
        second = (await browser.get(following)).text
        assert "/work/d05" in second and "/work/d59" not in second
        overdue = (await browser.get("/work", params={"overdue": "1"})).text
        assert "/work/late" in overdue and "/work/d59" not in overdue
        assert "/work/late" not in (await browser.get("/work", params={"kind": "denial"})).text
        found = await browser.get("/work", params={"text": " late "})
        assert (found.status_code, found.headers["location"]) == (303, "/work/late")


async def test_a_claims_number_leads_to_what_it_waits_for(platform: Any, tenant: str, owners: FakeOwners) -> None:
    held(owners)
    claim = claims_pb2.ClaimSummary(claim_id=CLAIM, state="held", work_id="w1")
    owners.answers["ListClaims"] = claims_pb2.ListClaimsResponse(claims=[claim])
    async with at_work(platform, tenant, owners, "claim-hold") as browser:
        assert (await browser.get("/work", params={"text": CLAIM})).headers["location"] == "/work/w1"
        owners.answers["ListClaims"] = Unreadable("text", "text", "no number")
        assert "Nothing waits under this id" in (await browser.get("/work", params={"text": "no such"})).text


async def test_nothing_is_shown_when_the_access_cannot_be_recorded(
    platform: Any, tenant: str, owners: FakeOwners, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(owners)

    async def broken(*_: Any) -> None:
        raise OSError("the table is away")

    async with at_work(platform, tenant, owners, "claim-hold") as browser:
        form = await filled(browser, "release", {})
        monkeypatch.setattr("journey.console.desks.desk.record_access", broken)
        page, done = await browser.get("/work/w1"), await browser.post("/work/w1", data=form)
        assert (page.status_code, done.status_code) == (503, 503)
        assert "no authorization" not in page.text
        assert owners.effects == []
