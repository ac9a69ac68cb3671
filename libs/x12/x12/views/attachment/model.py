"""Additional information for a claim as a frozen value (005010X210, 006020X314)."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from dataclasses import dataclass
from datetime import date

from x12.views.parties import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Loops 2000A and 2100B: one document and what it answers.

    `trace_number` TRN02: the payer's when it was asked for, else the control number of the claim's PWK06. `kind` CAT02
    (HL an HL7 document, TX text, IA an image, MB binary). `content` is what BIN or BDS carries, in ASCII; `filter`
    BDS01 (B64 for base64, ASC for plain text), empty under 005010X210. `questions` are the STC01-2 codes (LOINC) of a
    solicited answer, `submitted` DTP*368.
    """

    trace_number: str
    kind: str
    content: str
    filter: str = "B64"
    questions: tuple[str, ...] = ()
    submitted: date | None = None
    line_control: str = ""

    def data(self) -> bytes:
        """The document's bytes; ValueError when base64 is said and not kept."""
        if self.filter != "B64":
            return self.content.encode("ascii", "surrogateescape")
        try:
            return b64decode(self.content, validate=True)
        except Error:
            raise ValueError("the document is not base64") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One 275. `solicited` BGN01 11 (02 otherwise); `reference` BGN02. The patient's claim: `control_number` REF*EJ
    (CLM01), `payer_claim_number` REF*1K, `bill_type` REF*BLT, `medical_record` REF*EA, service DTP*472."""

    reference: str
    payer_id: str
    payer_name: str
    submitter_id: str
    submitter_name: str
    provider_npi: str
    provider_name: str
    patient: Member
    documents: tuple[Document, ...]
    solicited: bool = False
    control_number: str = ""
    payer_claim_number: str = ""
    bill_type: str = ""
    medical_record: str = ""
    service_from: date | None = None
    service_to: date | None = None
    payer_id_qualifier: str = "PI"
    provider_first: str = ""
    provider_is_person: bool = False
    created: date | None = None
