"""Mailbox files -> what they say about our interchanges and claims. TA1 and 999 speak of files, 277CA of claims."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.errors import Unreadable
from x12 import ViewError, X12Error, read, transaction_sets
from x12.views.acknowledgment import (
    ClaimStatus,
    GroupAcknowledgment,
    InterchangeAcknowledgment,
    read_277ca,
    read_999,
    read_ta1,
)

from claims_gateway.model import ACCEPTED, RECEIVED, REJECTED, SUBMITTED, Acknowledgment

_PROCEEDS = {"A", "E"}


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What a TA1 or 999 says about one interchange (by its control number): arrived, received or rejected; a code."""

    control_number: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mail:
    """The content of one file: verdicts on interchanges and on single claims."""

    files: tuple[FileVerdict, ...] = ()
    claims: tuple[Acknowledgment, ...] = ()


def read_mail(content: bytes) -> Mail:
    """Unreadable when it is no X12, or none of the three acknowledgements."""
    try:
        mail = _read(content)
    except X12Error as error:
        raise Unreadable("mail-not-x12", "", "the file is not X12", error.position) from error
    except ViewError as error:
        raise Unreadable("mail-content", error.path, "the file's content cannot be read") from error
    if not (mail.files or mail.claims):
        raise Unreadable("mail-empty", "", "the file acknowledges nothing")
    return mail


def _read(content: bytes) -> Mail:
    files: list[FileVerdict] = []
    claims: list[Acknowledgment] = []
    for interchange in read(content):
        files += [_envelope_verdict(ack) for ack in read_ta1(interchange)]
    for transaction_set in transaction_sets(content):
        if transaction_set.code == "999":
            files.append(_verdict(read_999(transaction_set)))
        elif transaction_set.code == "277":
            answer = read_277ca(transaction_set)
            claims += [_claim(status, _number(answer.batch_reference)) for status in answer.claims]
        else:
            raise Unreadable("mail-kind", "ST01", "not an acknowledgement")
    return Mail(tuple(files), tuple(claims))


def _envelope_verdict(ack: InterchangeAcknowledgment) -> FileVerdict:
    """An envelope in order says only that the file has arrived; whether it can be read, the 999 says."""
    state = SUBMITTED if ack.status in _PROCEEDS else REJECTED
    return FileVerdict(_number(ack.control_number), state, f"ta1-{ack.note}")


def _verdict(group: GroupAcknowledgment) -> FileVerdict:
    """We send one set in a group, so the group's verdict is the set's."""
    proceeds = group.status in _PROCEEDS and not group.rejected_sets
    codes = group.codes or tuple(code for answer in group.sets for code in answer.codes)
    reason = "999-accepted" if proceeds else f"999-{'-'.join(codes) or 'rejected'}"
    return FileVerdict(_number(group.group_control), RECEIVED if proceeds else REJECTED, reason)


def _claim(status: ClaimStatus, interchange: int) -> Acknowledgment:
    """Our BHT03, to which a 277CA answers, is the ISA13 of the file."""
    first = next((found for found in status.statuses if found.accepted == status.accepted), None)
    reason = f"277ca-{first.category}-{first.code}" if first else "277ca-no-status"
    state = ACCEPTED if status.accepted else REJECTED
    return Acknowledgment(status.control_number, state, reason, status.payer_claim_number, interchange)


def _number(text: str) -> int:
    """A control number of another shape belongs to nothing that we sent."""
    return int(text) if text.isascii() and text.isdigit() else -1
