"""The words for what waits, why, and what to do about it, so that a code never stands alone on a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work: its title, why it comes up, and what a person does about it, step by step."""

    title: str
    why: str
    steps: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "coder-review": Kind(
        "Coder review",
        "The documentation does not settle what is billed: a coder decides.",
        ("Read the findings.", "Accept what is proposed, code it anew, or say that nothing is billed."),
    ),
    "unmapped-code": Kind(
        "Unmapped code",
        "The source sent a code that its code map does not know, so the charge is held and not the feed.",
        (
            "Add the code to the feed's code map, so that the next visit goes through by itself.",
            "For this visit: code it here, or say that nothing is billed.",
        ),
    ),
    "late-charge": Kind(
        "Late charge",
        "Something billable came after the visit had gone on: it never becomes a second claim by itself.",
        ("Decide whether the claim has to be replaced.", "Close this item when that is settled."),
    ),
    "missing-charge": Kind(
        "Missing charge",
        "A service was done, and there is no charge or no price for it.",
        ("Give the charge, or say that it is not billed.", "The visit goes on when nothing is missing any more."),
    ),
    "coverage-gap": Kind(
        "Coverage gap",
        "The payer does not confirm that the patient is insured on the day of the visit.",
        (
            "Compare the insurance card with what the feed sent, and correct it in the EHR.",
            "The corrected Coverage comes in by its feed; it is checked again and this item closes by itself.",
            "Is the claim held for it already? Then release the hold when the coverage is right.",
        ),
    ),
    "authorization-needed": Kind(
        "Authorization needed",
        "The payer wants a prior authorization for this service, and there is none.",
        (
            "Ask the payer for it, or find the number that was given.",
            "Give the number at the hold of the claim; a number that comes in by the feed is taken by itself.",
        ),
    ),
    "claim-hold": Kind(
        "Claim on hold",
        "The scrub found what the payer would refuse: the claim has not been sent.",
        (
            "Mend the cause where it arose: what comes in anew is checked again by itself.",
            "Or give the authorization number, or overrule the findings that may be overruled, and release it.",
        ),
    ),
    "rejection": Kind(
        "Rejection",
        "The clearinghouse or the payer's front door refused the claim. Nobody has decided about it yet, and the time "
        "for filing runs on.",
        ("Mend what was refused.", "Send it again: it is scrubbed anew and goes out as an original."),
    ),
    "denial": Kind(
        "Denial",
        "The payer has decided not to pay.",
        ("Appeal while the deadline allows it.", "Or write off what is still open: it then counts as lost."),
    ),
    "underpayment": Kind(
        "Underpayment",
        "The payer allowed less than the contract says.",
        (
            "Ask the payer to pay the difference.",
            "The item closes when the payer takes the decision back and pays anew.",
        ),
    ),
    "unmatched-remittance": Kind(
        "Unmatched remittance",
        "Money or a decision came that cannot be posted as it is.",
        (
            "Look at the remittance: it says which claim is unknown or which segment does not add up.",
            "Ask the payer for a corrected 835; sums are never made to fit.",
        ),
    ),
    "unmatched-deposit": Kind(
        "Unmatched deposit",
        "The bank and the remittances do not agree: one of both is missing.",
        ("Look for the 835 or the transfer at the payer.", "It closes by itself when the other half comes."),
    ),
    "message-failed": Kind(
        "Failed message",
        "A message of a feed could not be worked on. What came after it for the same patient waits behind it.",
        ("Read where it failed.", "Mend the feed's configuration and replay it, or dismiss it for good."),
    ),
    "duplicate-patient": Kind(
        "Possible duplicate",
        "Two patients may be one person: the rules could not tell.",
        ("Compare them.", "Link them or keep them apart; either can be undone."),
    ),
}

OWNERS: Mapping[str, str] = {
    "coder": "Coders",
    "biller": "Billers",
    "front-desk": "Front desk",
    "authorization": "Authorizations",
    "payment": "Payment posting",
    "it": "IT",
}

# Codes that several desks show. What is not here is shown with its hyphens taken out.
REASONS: Mapping[str, str] = {
    "unmapped-code": "no map of the feed knows the code",
    "no-charge": "an order was performed and nothing was charged",
    "no-price": "the charge master has no price",
    "after-capture": "came after the charges went out",
    "encounter-cancelled": "the visit was cancelled after it was coded",
    "late-charge": "the billing of the visit changed after it was coded",
    "em-over": "the level is higher than the note supports",
    "em-under": "the note supports a higher level",
    "no-diagnosis": "the visit has no diagnosis",
    "no-billable-code": "nothing that was done has a code that is billed",
    "cpt-unknown": "no such procedure code",
    "cpt-not-effective": "the procedure code was not in force that day",
    "icd-invalid": "no such diagnosis code",
    "icd-not-billable": "the diagnosis is not specific enough to be billed",
    "inactive": "the coverage was not in force",
    "ptp": "two codes that are not paid together",
    "mue": "more units than plausible",
    "addon": "an add-on without its procedure",
    "allowed-below-contract": "allowed less than the contract says",
    "credit-balance": "more was settled than billed",
    "unknown-claim": "no claim of ours has this number",
    "charge-differs": "the charge is not the one that we billed",
    "payment-paid": "payment posted",
    "payment-denied": "denial posted",
    "payment-partly_paid": "part of it posted",
    "clean": "nothing was found",
    "released": "released by a person",
    "corrected": "corrected by a person",
    "payer-unknown": "the payer is not in the payer table",
    "timeout": "the payer did not answer",
    "no-coverage": "no coverage is on file",
    "duplicate-key": "the control id came before with another text",
    "likeness": "they look alike",
    "conflict": "some things agree and some contradict",
    "contradiction": "something that should agree contradicts",
    "number": "they share a number",
    "edit-01": "coverage is not confirmed",
    "edit-02": "the member's data differ from the payer's",
    "edit-03": "another payer answered for this member",
    "edit-04": "the order of payers is not clear",
    "edit-06": "authorization is missing",
    "edit-07": "authorization does not cover this",
    "edit-09": "too late to file",
    "edit-10": "already billed",
    "edit-x12": "the file would not be readable",
}

STATES: Mapping[str, str] = {
    "draft": "draft",
    "held": "on hold",
    "ready": "ready to send",
    "submitting": "being sent",
    "submitted": "sent",
    "received": "received (999)",
    "accepted": "accepted (277CA)",
    "rejected": "rejected",
    "corrected": "corrected",
    "adjudicated": "decided",
    "paid": "paid",
    "partly_paid": "partly paid",
    "denied": "denied",
    "underpaid": "underpaid",
    "appealed": "appealed",
    "reversed": "taken back",
    "replaced": "replaced",
    "voided": "voided",
    "written_off": "written off",
    "secondary_due": "secondary due",
    "closed": "closed",
    "kept": "worked on",
    "filtered": "filtered",
    "failed": "failed",
    "quarantined": "in quarantine",
    "dismissed": "dismissed",
    "posted": "posted",
    "open": "open",
    "overturned": "overturned",
}

# How good or bad a state is, for the color of its mark; the word always stands beside it.
TONES: Mapping[str, str] = {
    **dict.fromkeys(("paid", "accepted", "kept", "posted", "matched", "serving", "overturned", "closed"), "good"),
    **dict.fromkeys(
        (
            "held",
            "submitting",
            "received",
            "partly_paid",
            "underpaid",
            "appealed",
            "awaited",
            "not-serving",
            "corrected",
        ),
        "warn",
    ),
    **dict.fromkeys(("rejected", "denied", "failed", "quarantined", "written_off", "reversed", "away"), "bad"),
}

CATEGORIES: Mapping[str, str] = {
    "missing-data": "missing or wrong data",
    "medical-necessity": "medical necessity",
    "timely-filing": "filed too late",
    "benefit-limit": "benefit limit",
    "wrong-payer": "wrong payer",
}

CLAIM_STATUS: Mapping[str, str] = {
    "1": "paid as primary",
    "2": "paid as secondary",
    "3": "paid as tertiary",
    "4": "denied",
    "19": "primary, sent on",
    "20": "secondary, sent on",
    "21": "tertiary, sent on",
    "22": "takes an earlier payment back",
    "23": "not this payer's, sent on",
    "25": "predetermination",
}

GROUPS: Mapping[str, str] = {
    "CO": "contract",
    "PR": "patient",
    "OA": "other",
    "PI": "payer",
    "CR": "correction",
}

DISMISSALS: Mapping[str, str] = {
    "sent-in-error": "Sent in error",
    "duplicate": "The same came another way",
    "test-message": "A test message",
    "corrected-by-sender": "The sender has sent it corrected",
    "not-needed": "Nobody needs it",
}

WRITE_OFFS: Mapping[str, str] = {
    "timely-filing": "Filed too late",
    "not-covered": "Not covered, and not the patient's",
    "appeal-exhausted": "All appeals are used up",
    "not-worth-it": "An appeal would cost more",
    "write-off": "Another reason",
}


# Beginnings of codes that carry the codes of others behind them.
_BEGINNINGS: tuple[tuple[str, str], ...] = (
    ("carc-", "CARC"),
    ("277ca-", "refused by the 277CA:"),
    ("999-", "999:"),
    ("hcr-", "the payer's review:"),
    ("aaa-", "the payer refused the question: AAA"),
    ("mismatch-", "the payer has another"),
)


def worded(code: str) -> str:
    """A code in words: by the tables above, else with its hyphens and underscores taken out."""
    for table in (REASONS, STATES, CATEGORIES):
        if code in table:
            return table[code]
    for beginning, words in _BEGINNINGS:
        if code.startswith(beginning):
            return f"{words} {code.removeprefix(beginning).replace('-', ' ')}"
    return code.replace("-", " ").replace("_", " ")
