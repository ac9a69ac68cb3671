"""Marks in what payers, banks and clearinghouses send: answers to questions, acknowledgements, 835s, deposits."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

from canary_marks import Marks
from x12 import Envelope
from x12.views.parties import Address
from x12.views.remittance import ClaimPayment, RemitPayee, RemitPayer, RemitPerson, Remittance, build_835

CLINIC = Address("1 TEST ST", "TESTVILLE", "OH", "43004")
TODAY = datetime.now(UTC).date()


def era(marks: Marks, key: str, paid_cents: int = 8_000, amount_cents: int = 8_000, control: str = "") -> str:
    """An 835 of one claim whose people, numbers and texts are marked. Unequal amounts do not balance."""
    word = lambda field: marks.word(f"{key}.{field}").upper()  # noqa: E731
    payment = ClaimPayment(
        control_number=control or word("patient control"), status="1", charge_cents=paid_cents, paid_cents=paid_cents,
        payer_claim_number=word("payer claim number"), group_number=word("group number"),
        prior_authorization=word("authorization"),
        patient=_person(word, "patient", "MI"),
        insured=_person(word, "insured", "MI"),
        corrected=_person(word, "corrected", "C"),
        date_from=marks.day("era.served", date(2019, 1, 1), 700),
    )  # fmt: skip
    advice = Remittance(
        payer=RemitPayer(name="SYNTHETIC PAYER A", address=CLINIC, id="SYNPA"),
        payee=RemitPayee(name="TEST CLINIC", npi="1234567893"),
        amount_cents=amount_cents, payment_date=TODAY, trace_number=word("trace"), trace_origin="1512345678",
        claims=(payment,),
    )  # fmt: skip
    number = secrets.randbelow(10**8) + 1
    envelope = Envelope(sender_id="SYNPA", receiver_id="THROUGHLINE", control_number=number, created=datetime.now(UTC))
    return build_835(advice, envelope)


def _person(word: Callable[[str], str], who: str, kind: str) -> RemitPerson:
    return RemitPerson(last=word(f"{who} last"), first=word(f"{who} first"), id=word(f"{who} id"), id_qualifier=kind)


def mails(marks: Marks) -> Iterator[tuple[str, bytes]]:
    """Files that break, each with marks in it: kind and content."""
    word = lambda field: marks.word(f"mail.{field}").upper()  # noqa: E731
    unknown, unequal = era(marks, "unknown claim"), era(marks, "unequal", amount_cents=7_000)
    yield "835", unknown.encode()
    yield "835", unequal.encode()
    yield "835", unknown.replace("CLP*", f"CLP*{word('clp')}*{word('clp2')}*").encode()
    yield "835", re.sub(r"BPR\*[^~]*~", f"BPR*{word('bpr')}*{word('amount')}~", unknown).encode()
    yield "835", f"{word('no x12')} at all".encode()
    yield "835", b"\xff\xfe" + word("not utf-8").encode()
    yield "CCD", f"101 {word('bank')}\n5{word('bank name')}\n".encode()
    yield (
        "999",
        _acknowledgement("999", f"AK1*HC*{word('group control')}~AK2*837*{word('set control')}~IK5*A~AK9*A*1*1*1~"),
    )
    yield "999", f"ISA*{word('torn envelope')}".encode()
    yield (
        "277CA",
        _acknowledgement(
            "277", f"BHT*0085*08*{word('reference')}*20261001*1200*TH~HL*1**20*1~NM1*QC*1*{word('name')}~"
        ),
    )
    yield "277CA", word("277 garbage").encode()
    yield "TA1", f"TA1*{word('ta1')}*~".encode()


def _acknowledgement(code: str, body: str) -> bytes:
    count = body.count("~") + 2
    head = "ISA*00*          *00*          *ZZ*SYNPA          *ZZ*THROUGHLINE    *261001*1200*^*00501*000000777*0*T*:~"
    group = f"GS*FA*SYNPA*THROUGHLINE*20261001*1200*777*X*005010X231A1~ST*{code}*0001*005010X231A1~"
    return f"{head}{group}{body}SE*{count}*0001~GE*1*777~IEA*1*000000777~".encode()


def marked_answer(marks: Marks, question: str, answer: str) -> str:
    """The payer's answer with a message of its own about the person, and now and then one that breaks."""
    word = lambda field: marks.word(f"answer.{field}").upper()  # noqa: E731
    if word("garbled member") in question:
        return f"{word('garbled')} {answer}"
    if word("refusing member") in question:
        return answer.replace("TRN*2*", f"TRN*2*{word('foreign trace')}")
    if "*271*" not in answer.replace("ST*271", "ST*271*"):
        return answer
    told = answer.replace("~SE*", f"~MSG*{word('message')}~SE*") if "~EB*" in answer else answer
    return re.sub(r"~SE\*(\d+)\*", lambda found: f"~SE*{int(found[1]) + 1}*", told) if told != answer else answer
