"""Acknowledgements as frozen values: TA1 for the interchange, 999 for groups and sets, 277CA for claims."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeAcknowledgment:
    """TA1. `status` A accepted, E accepted with errors, R rejected; `note` the three-digit reason, 000 for none."""

    control_number: str
    created: datetime
    status: str
    note: str = "000"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementError:
    """IK4. `position` 1-based element, `component`/`repetition` 0 when not meant, `reference` X12 element number.

    `code` IK403: 1 required missing, 2 condition missing, 3 too many, 4 too short, 5 too long, 6 invalid character,
    7 invalid code value, 8 invalid date, 9 invalid time, 10 exclusion condition, 12 too many repetitions,
    13 too many components, I10 not used, I12 pattern, I13 implementation dependent not used.
    """

    position: int
    code: str
    component: int = 0
    repetition: int = 0
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentError:
    """IK3. `position` counts from ST as 1; `loop` the loop id; `code` IK304: 1 unrecognised, 2 unexpected,
    3 required missing, 4 loop over maximum, 5 segment over maximum, 6 not in set, 7 wrong sequence, 8 has element
    errors, I4 not used, I6 implementation dependent missing, I7 loop under minimum, I8, I9."""

    segment_id: str
    position: int
    code: str
    loop: str = ""
    elements: tuple[ElementError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAcknowledgment:
    """AK2 to IK5. `status` IK501: A accepted, E accepted with errors, R rejected, M, W, X; `codes` IK502-506."""

    code: str
    control: str
    status: str
    guide: str = ""
    codes: tuple[str, ...] = ()
    errors: tuple[SegmentError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAcknowledgment:
    """One 999. `status` AK901: A, E (proceeds), P partly, R rejected; `codes` AK905-909."""

    functional_code: str
    group_control: str
    guide: str
    status: str
    included: int
    received: int
    accepted: int
    sets: tuple[SetAcknowledgment, ...] = ()
    codes: tuple[str, ...] = ()

    @property
    def rejected_sets(self) -> tuple[str, ...]:
        """Control numbers (ST02) of the sets that were not accepted."""
        return tuple(s.control for s in self.sets if s.status not in {"A", "E"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One STC composite: health care claim status category, status code, entity."""

    category: str
    code: str
    entity: str = ""

    @property
    def accepted(self) -> bool:
        """A1 and A2 go on to adjudication."""
        return self.category in {"A1", "A2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStatus:
    """Loop 2200D of a 277CA. `control_number` is CLM01. `amount_cents` the claim's charge (STC04)."""

    control_number: str
    statuses: tuple[Status, ...]
    status_date: date
    amount_cents: int = 0
    payer_claim_number: str = ""
    clearinghouse_number: str = ""
    last: str = ""
    first: str = ""
    member_id: str = ""
    service_from: date | None = None
    service_to: date | None = None
    provider_npi: str = ""
    provider_name: str = ""
    provider_first: str = ""
    provider_is_person: bool = False
    message: str = ""

    @property
    def accepted(self) -> bool:
        """Every status is A1 or A2: the claim went on."""
        return bool(self.statuses) and all(s.accepted for s in self.statuses)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAcknowledgment:
    """One 277CA: the statuses of the claims of one submission.

    `batch_reference` is BHT03 of the 837 (TRN02 of 2200B); `batch_status` the STC of 2200B.
    """

    source_id: str
    source_name: str
    submitter_id: str
    submitter_name: str
    trace_number: str
    batch_reference: str
    received_date: date
    processed_date: date
    batch_status: Status
    claims: tuple[ClaimStatus, ...] = ()
    reference: str = ""
    source_entity: str = "PR"
    source_id_qualifier: str = "PI"
    accepted_cents: int | None = None
    rejected_cents: int | None = None
