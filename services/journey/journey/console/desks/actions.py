"""What a person can do about a work item: one row for each action, and the call of its owner that it stands for.

The owner decides and is idempotent; here a form becomes one request, and its answer becomes a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from kernel.errors import Refused, Unreadable
from rcm.charge.v1 import charge_pb2
from rcm.claims.v1 import claims_pb2
from rcm.coding.v1 import coding_pb2
from rcm.engine.v1 import messages_pb2, persons_pb2
from rcm.remittance.v1 import remittance_pb2

from journey.console.desks.clients import Owners
from journey.console.desks.forms import Entered, read_charge, read_diagnoses, read_lines
from journey.console.desks.table_words import DISMISSALS, WRITE_OFFS, worded
from journey.console.words import dollars

_EDIT = re.compile(r"[a-z0-9-]{1,64}")
_AUTHORIZATION = re.compile(r"[A-Za-z0-9 ./-]{1,50}")
_MEMBER = re.compile(r"[A-Za-z0-9 ./-]{2,80}")  # NM109 of 2010BA


@dataclass(frozen=True, slots=True)
class Order:
    """An action that was asked for: on which work item, with what entered, by whom (an id, no name)."""

    work_id: str
    entered: Entered
    by: str


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it, for people; `settled` says that nothing more is to be done here."""

    text: str
    settled: bool = True


Act = Callable[[Owners, Order], Awaitable[Done]]


async def accept_review(owners: Owners, order: Order) -> Done:
    request = coding_pb2.ResolveReviewRequest(work_id=order.work_id, action="accept")
    await owners.resolve_review(request, order.entered.key)
    return Done("Accepted: the visit goes on with the codes as proposed.")


async def recode_review(owners: Owners, order: Order) -> Done:
    request = coding_pb2.ResolveReviewRequest(
        work_id=order.work_id,
        action="recode",
        diagnoses=read_diagnoses(order.entered),
        lines=read_lines(order.entered),
    )
    await owners.resolve_review(request, order.entered.key)
    return Done(f"Coded anew with {len(request.lines)} lines: the visit goes on.")


async def close_review(owners: Owners, order: Order) -> Done:
    request = coding_pb2.ResolveReviewRequest(work_id=order.work_id, action="not-billable")
    await owners.resolve_review(request, order.entered.key)
    return Done("Nothing of this is billed.")


async def settle_late_coding(owners: Owners, order: Order) -> Done:
    request = coding_pb2.ResolveReviewRequest(work_id=order.work_id, action="accept")
    await owners.resolve_review(request, order.entered.key)
    return Done("The late charge is settled.")


async def add_charge(owners: Owners, order: Order) -> Done:
    line = read_charge(order.entered)
    state = await owners.add_charge(charge_pb2.AddChargeRequest(work_id=order.work_id, line=line), order.entered.key)
    return Done("The charge is added." if state == "added" else f"The item is {worded(state)}.")


async def close_charge(owners: Owners, order: Order) -> Done:
    request = charge_pb2.AddChargeRequest(work_id=order.work_id, not_billable=True)
    await owners.add_charge(request, order.entered.key)
    return Done("Nothing is charged for it.")


async def release_hold(owners: Owners, order: Order) -> Done:
    request = claims_pb2.ReleaseHoldRequest(
        claim_id=_claim(order), waive=_waived(order), authorization_number=_authorization(order)
    )
    return _claim_done(await owners.release_hold(request, order.entered.key), "Released")


async def resubmit_claim(owners: Owners, order: Order) -> Done:
    request = claims_pb2.ResubmitClaimRequest(
        claim_id=_claim(order),
        waive=_waived(order),
        authorization_number=_authorization(order),
        member_id=_member(order),
    )
    return _claim_done(await owners.resubmit_claim(request, order.entered.key), "Corrected")


def _claim_done(claim: claims_pb2.ClaimSummary, verb: str) -> Done:
    if claim.state == "held":
        first = next((one for one in claim.findings if one.severity == "error"), None)
        because = f": {first.because} ({first.edit_id})" if first else ""
        return Done(f"The claim is still on hold{because}.", settled=False)
    return Done(f"{verb}: the claim is {worded(claim.state)}.")


def _claim(order: Order) -> str:
    claim_id = order.entered.text("claim_id", 64)
    if not claim_id:
        raise Unreadable("form-claim", "claim_id", "the form names no claim: reload the page")
    return claim_id


def _waived(order: Order) -> list[str]:
    found = order.entered.all("waive")
    if not all(_EDIT.fullmatch(one) for one in found):
        raise Unreadable("form-choice", "waive", "choose of what is offered")
    return found


def _authorization(order: Order) -> str:
    found = order.entered.text("authorization", 50)
    if found and not _AUTHORIZATION.fullmatch(found):
        raise Unreadable("form-authorization", "authorization", "letters, digits and - . / only, at most 50")
    return found


def _member(order: Order) -> str:
    found = order.entered.text("member", 80)
    if found and not _MEMBER.fullmatch(found):
        raise Unreadable("form-member", "member", "letters, digits and - . / only, 2 to 80")
    return found


async def appeal_denial(owners: Owners, order: Order) -> Done:
    request = remittance_pb2.ResolveDenialRequest(work_id=order.work_id, action="appeal", reason="appeal")
    await owners.resolve_denial(request, order.entered.key)
    return Done("Noted as appealed: the amount stays open until the payer answers.")


async def write_off_denial(owners: Owners, order: Order) -> Done:
    reason = order.entered.choice("reason", WRITE_OFFS)
    request = remittance_pb2.ResolveDenialRequest(work_id=order.work_id, action="write_off", reason=reason)
    balance = await owners.resolve_denial(request, order.entered.key)
    left = balance.open_cents
    return Done(f"Written off. {dollars(left)} are still open." if left else "Written off: nothing is open any more.")


async def replay_message(owners: Owners, order: Order) -> Done:
    """Only from the state that the person saw: the same form posted again finds another and does nothing."""
    message_id, key = _message(order), order.entered.key
    message = (await owners.message(message_id)).message
    if seen(message) != order.entered.text("seen"):
        return Done(f"The message has moved on meanwhile: it is {worded(message.state)}.")
    if await owners.replay_message(message_id, key):
        return Done("It is worked on again, in its old place and with the rules of today.")
    raise Refused("message-not-replayable", "in its present state the message cannot be replayed")


def seen(message: messages_pb2.FeedMessage) -> str:
    """What a form remembers of the message that it was made for."""
    return f"{message.state} {message.finished_at.ToNanoseconds()}"


async def dismiss_message(owners: Owners, order: Order) -> Done:
    reason = order.entered.choice("reason", DISMISSALS)
    await owners.dismiss_message(_message(order), reason, order.entered.key)
    return Done("Dismissed: what waited behind it goes on.")


def _message(order: Order) -> str:
    return order.entered.text("message_id", 64)


async def link_patients(owners: Owners, order: Order) -> Done:
    return await _decide(owners, order, True)


async def part_patients(owners: Owners, order: Order) -> Done:
    return await _decide(owners, order, False)


async def _decide(owners: Owners, order: Order, same: bool) -> Done:
    first, second = order.entered.text("first", 64), order.entered.text("second", 64)
    if not first or not second or first == second:
        raise Unreadable("form-patients", "first", "the form names no two patients: reload the page")
    request = persons_pb2.DecidePairRequest(first=first, second=second, same=same, by=order.by)
    await owners.decide_pair(request, order.entered.key)
    return Done("Linked: they are one person." if same else "Kept apart: they are two persons.")


ACTIONS: Mapping[str, Act] = {
    "accept": accept_review,
    "recode": recode_review,
    "not-billable": close_review,
    "settle-late-coding": settle_late_coding,
    "add-charge": add_charge,
    "no-charge": close_charge,
    "release": release_hold,
    "resubmit": resubmit_claim,
    "appeal": appeal_denial,
    "write-off": write_off_denial,
    "replay": replay_message,
    "dismiss": dismiss_message,
    "link": link_patients,
    "keep-apart": part_patients,
}

# What each kind of work offers. Kinds that are not here are settled elsewhere; their page says where.
OFFERED: Mapping[str, tuple[str, ...]] = {
    "coder-review": ("accept", "recode", "not-billable"),
    "unmapped-code": ("accept", "recode", "not-billable"),
    "late-charge": ("settle-late-coding", "no-charge"),
    "missing-charge": ("add-charge", "no-charge"),
    "claim-hold": ("release",),
    "rejection": ("resubmit",),
    "denial": ("appeal", "write-off"),
    "message-failed": ("replay", "dismiss"),
    "duplicate-patient": ("link", "keep-apart"),
}


async def act(owners: Owners, kind: str, name: str, order: Order) -> Done:
    """Does what the form says. Refused or Unreadable when it cannot be done, Away when its owner does not answer."""
    if name not in OFFERED.get(kind, ()):
        raise Refused("action-unknown", "this kind of work does not offer that")
    return await ACTIONS[name](owners, order)
