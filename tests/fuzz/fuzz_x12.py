"""Coverage-guided fuzzing of libs/x12 with atheris: nothing but X12Error and ViewError may come out of any bytes.

Run with an environment of its own, outside of the repository (see README.md beside this file).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import atheris

_HERE = Path(__file__).resolve()
sys.path[:0] = [str(_HERE.parents[2] / "libs" / "x12"), str(_HERE.parents[1] / "libs" / "x12")]

with atheris.instrument_imports(include=["x12"]):
    import x12
    from x12.check import check_stream, survey
    from x12.check.patterns import Patterns
    from x12.views import acknowledgment, attachment, authorization, claim, eligibility, remittance, status

VIEWS = (acknowledgment, attachment, authorization, claim, eligibility, remittance, status)
READERS: list[Callable[[x12.TransactionSet], object]] = [
    getattr(view, name) for view in VIEWS for name in dir(view) if name.startswith("read_") and name[5:8].isdigit()
]


def test_one_input(data: bytes) -> None:
    """Everything that the library does with bytes from outside. Whatever is raised but its own errors is a finding."""
    try:
        interchanges = list(x12.read(data))
    except x12.X12Error as error:
        assert 0 <= error.position <= len(data)
        _streams_raise(data)
        return
    again = list(x12.read("".join(map(x12.write, interchanges))))
    assert [list(item.segments()) for item in again] == [list(item.segments()) for item in interchanges]
    whole = [finding for item in interchanges for finding in x12.check(item)]
    streamed = list(check_stream(data[at : at + 7] for at in range(0, len(data), 7)))
    assert sorted(map(repr, whole)) == sorted(map(repr, streamed))
    assert _plainly(data) == sorted(map(repr, streamed))
    for interchange in interchanges:
        x12.acknowledge(interchange)
        x12.acknowledge_interchange(interchange)
        for transaction in interchange.sets():
            x12.balance(transaction)
            _view(transaction)
    sets = [transaction for interchange in interchanges for transaction in interchange.sets()]
    assert _portions(data) == {item.place: list(item.segments) for item in sets}
    x12.describe(data)


def _plainly(data: bytes) -> list[str]:
    """The findings when no claim is stepped over because it is built like one before."""
    runs = Patterns.runs
    Patterns.runs = lambda self, segments: iter(())  # type: ignore[method-assign]
    try:
        return sorted(map(repr, check_stream(data)))
    finally:
        Patterns.runs = runs  # type: ignore[method-assign]


def _portions(data: bytes) -> dict[x12.Place, list[x12.Segment]]:
    """The segments of each set, from portions of one claim: what repeats is taken once."""
    found: dict[x12.Place, dict[x12.Segment, None]] = {}
    for part in x12.portions(data, 1):
        found.setdefault(part.place, {}).update(dict.fromkeys(part.segments))
    return {place: list(segments) for place, segments in found.items()}


def _streams_raise(data: bytes) -> None:
    try:
        list(survey(data))
    except x12.X12Error:
        return
    raise AssertionError("the stream takes what the reader refuses")


def _view(transaction: x12.TransactionSet) -> None:
    for reader in READERS:
        with suppress(x12.ViewError):
            reader(transaction)


def write_seeds(folder: Path) -> None:
    """One small file of each transaction that the tests know, to begin from."""
    from x12_examples import CLAIMS, DECISION, ENVELOPE, INQUIRY, REMITTANCE, REPLY, REQUEST
    from x12_more_examples import ATTACHMENT, DENTAL, INPATIENT, STATUS_INFO, STATUS_INQUIRY

    texts = {
        "837": claim.build_837p(CLAIMS, ENVELOPE),
        "835": remittance.build_835(REMITTANCE, ENVELOPE),
        "837-alike": claim.build_837p([replace(CLAIMS[0], control_number=f"C{at}") for at in range(4)], ENVELOPE),
        "835-alike": remittance.build_835(replace(REMITTANCE, claims=REMITTANCE.claims[:1] * 5), ENVELOPE),
        "270": eligibility.build_270(INQUIRY, ENVELOPE),
        "271": eligibility.build_271(REPLY, ENVELOPE),
        "275": attachment.build_275(ATTACHMENT, ENVELOPE),
        "276": status.build_276(STATUS_INQUIRY, ENVELOPE),
        "277": status.build_277(STATUS_INFO, ENVELOPE),
        "837d": claim.build_837d([DENTAL], ENVELOPE),
        "837i": claim.build_837i([INPATIENT], ENVELOPE),
        "278": authorization.build_278_request(REQUEST, ENVELOPE),
        "278r": authorization.build_278_response(DECISION, ENVELOPE),
    }
    note = acknowledgment.InterchangeAcknowledgment(
        control_number="000000042", created=datetime(2026, 2, 3, 4, 5, tzinfo=UTC), status="A", note="000"
    )
    texts["ta1"] = acknowledgment.build_ta1(note, ENVELOPE)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.edi").write_text(text)


def main() -> None:
    """`fuzz_x12.py FOLDER [libFuzzer options]`: the folder is filled with seeds when it is new."""
    folder = next((Path(item) for item in sys.argv[1:] if not item.startswith("-")), None)
    if folder is not None and not folder.exists():
        write_seeds(folder)
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
