"""Nothing that telemetry shows says who a patient is: marked patients go through every door, and no mark comes out."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "flow")]  # the helpers lie here, those of feeds beside the flow tests

import canary_leaky as leaky  # noqa: E402
from canary_marks import Finder, Marks, Place  # noqa: E402
from canary_outside import Outside  # noqa: E402
from canary_places import files  # noqa: E402
from canary_plants import PLANTS, planted  # noqa: E402
from canary_run import CanaryRun, canary_run  # noqa: E402

ALL_WAYS = {
    "as it is": lambda text: text,
    "lower": str.lower,
    "upper": str.upper,
    "in an address": lambda text: f"/fhir/Patient?name={quote(text)}&_count=1",
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "hex": lambda text: text.encode().hex(),
    "upper in hex": lambda text: text.upper().encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "within base64": lambda text: base64.b64encode(f'{{"x":"{text}"}}'.encode()).decode(),
    "within base64 further on": lambda text: base64.b64encode(f'{{"xy":"{text}"}}'.encode()).decode(),
    "within base64 at the third place": lambda text: base64.urlsafe_b64encode(f'{{"xyz":"{text}"}}'.encode()).decode(),
    "md5": lambda text: hashlib.md5(text.encode()).hexdigest(),
    "sha1 of lower": lambda text: hashlib.sha1(text.lower().encode()).hexdigest(),
    "sha256 of upper": lambda text: hashlib.sha256(text.upper().encode()).hexdigest().upper(),
    "sha256 cut": lambda text: hashlib.sha256(text.encode()).hexdigest()[:16],
    "sha256 in base64": lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode(),
    "sha1 as a uuid": lambda text: _as_uuid(hashlib.sha1(text.encode()).hexdigest()),
}


def _as_uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CanaryRun]:
    folder = tmp_path_factory.mktemp("canary")
    folder.chmod(0o711)
    with canary_run(folder) as done:
        yield done


@pytest.mark.parametrize("way", ALL_WAYS)
def test_a_mark_is_found_in_whatever_way_it_is_written(way: str) -> None:
    marks = Marks()
    number, word = marks.number("member", 9), marks.word("name")
    for value in (number, word):
        text = f'{{"at": "x", "said": "before {ALL_WAYS[way](value)} after"}}'.encode()
        (hit, *_) = Finder(marks).hits([Place("log", "x", b"a line\n" + text)])
        assert "line 2" in str(hit)
        assert value not in str(hit) and ALL_WAYS[way](value) not in str(hit), "the report must not tell it again"


def test_a_day_is_found_in_the_usual_ways_and_a_number_within_another_is_not_one() -> None:
    marks = Marks()
    born, number = marks.day("born"), marks.number("phone", 10)
    find = Finder(marks).hits
    for text in (born.isoformat(), f"{born:%Y%m%d}", f"{born:%m/%d/%Y}", quote(f"{born:%m/%d/%Y}", safe="")):
        assert find([Place("log", "x", text.encode())])
    for text in (f"9{number}", f"{number}0", f"1{born:%Y%m%d}", date(2026, 1, 1).isoformat(), "", "plain words"):
        assert find([Place("log", "x", text.encode())]) == []


def test_the_canaries_went_where_they_were_sent(run: CanaryRun) -> None:
    assert run.surprises == []
    outcomes = {key: (one.state, one.outcome) for key, one in run.journeys.items()}
    assert outcomes == {
        "fhir": ("ended", "paid"),
        "denied": ("waiting", "denied"),
        "large": ("ended", "paid"),
        "rejected": ("waiting", "rejected"),
        "refused": ("ended", "paid"),
        "hl7": ("ended", "paid"),
    }
    assert run.refused_calls > 100
    assert run.signed_in == 3 and run.console_pages > 20
    failed = {program for program in run.echoed if "UniqueViolationError" in _log_of(run, program)}
    assert failed >= {"coding", "charge-capture", "claims-gateway"}
    assert "CheckViolationError" in _log_of(run, "interface-engine")


def _log_of(run: CanaryRun, program: str) -> str:
    return (run.stack.logs_dir / f"{program}.log").read_text()


def test_every_mark_was_sent(run: CanaryRun) -> None:
    seen = {hit.form.mark for hit in Finder(run.marks).hits([Place("sent", "all", b"\n".join(run.sent))])}
    left_out = {mark.name for mark in run.marks} - seen
    assert not left_out, sorted(left_out)


async def test_no_mark_shows_anywhere(run: CanaryRun) -> None:
    places = await run.places()
    leaks = run.leaks(places)
    assert not leaks, f"{len(leaks)} leaks:\n" + "\n".join(str(one) for one in leaks[:60])
    assert {one.kind for one in places if one.content} >= {kind for kind, _ in PLANTS}


async def test_a_leak_at_each_kind_of_place_is_seen(run: CanaryRun) -> None:
    async with planted(run):
        hits = Finder(run.planted).hits(await run.places())
    found = {(hit.form.mark, hit.place.kind) for hit in hits}
    wanted = {(f"{kind} {number}", kind) for number, (kind, _) in enumerate(PLANTS)}
    assert wanted - found == set()


def test_what_a_process_gets_wrong_does_not_leave_it(tmp_path: Path) -> None:
    marks = Marks()
    word = marks.word("leaked")
    with closing(Outside()) as outside:
        done = subprocess.run(
            [sys.executable, str(HERE / "canary_leaky.py")],
            input=word.encode(),
            capture_output=True,
            timeout=180,
            env=_environment(RCM_OTLP_ENDPOINT=outside.url, RCM_TRACES_DIR=str(tmp_path)),
        )
        places = [*files(tmp_path, "span file"), *outside.places(), Place("log", "leaky", done.stderr + done.stdout)]
    assert [str(one) for one in Finder(marks).hits(places)] == []
    spans = [json.loads(line) for line in (tmp_path / "leaky.jsonl").read_text().splitlines()]
    kept = [span for span in spans if span["name"] == leaky.KEPT_SPAN]
    assert len(kept) == 2, done.stderr
    assert all(span["attributes"] == {leaky.KEPT_ATTRIBUTE: "coding"} and span["status"] == "error" for span in kept)
    told = b"".join(content for bodies in outside.told.values() for content in bodies)
    assert leaky.KEPT_SPAN.encode() in told and leaky.KEPT_METRIC.encode() in told
    assert leaky.KEPT_EVENT.encode() in done.stderr and b"uncaught error" in done.stderr


def _environment(**own: str) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("RCM_")}
    return (
        given
        | {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "RCM_POSTGRES_URL": "postgresql://x",
            "RCM_NATS_URL": "nats://x",
        }
        | own
    )
