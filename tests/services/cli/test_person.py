"""`throughline person` against an engine that answers what a test puts in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cli import person
from rcm.engine.v1 import persons_pb2 as pb
from typer.testing import CliRunner

PAIR = pb.PatientPair(first="a", second="b", state="review", score=26.1, fired=["birth-same", "given-different"])


@dataclass
class Engine:
    """Answers each call by its name, and remembers what was asked."""

    answers: dict[str, Any]
    asked: list[tuple[str, Any]] = field(default_factory=list)

    async def persons(self, call: str, request: Any) -> Any:
        self.asked.append((call, request))
        return self.answers[call]


def run(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], *arguments: str) -> tuple[str, Engine]:
    engine = Engine(answers)

    def ask(folder: Path, question: Callable[[Any], Awaitable[Any]]) -> Any:
        async def asked() -> Any:
            return await question(engine)

        return asyncio.run(asked())

    monkeypatch.setattr(person, "ask_line", ask)
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(person.person_app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output, engine


def test_review_shows_the_pairs_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    output, _ = run(monkeypatch, {"ListReviews": pb.ListReviewsResponse(pairs=[PAIR])}, "review")
    assert all(text in output for text in ("review", "26.1", "birth-same given-different"))
    output, _ = run(monkeypatch, {"ListReviews": pb.ListReviewsResponse()}, "review")
    assert "nothing is to be decided" in output


@pytest.mark.parametrize(("command", "same"), [("link", True), ("unlink", False)])
def test_a_decision_is_sent_with_who_decides(monkeypatch: pytest.MonkeyPatch, command: str, same: bool) -> None:
    answer = pb.DecidePairResponse(pair=pb.PatientPair(first="a", second="b", state="same" if same else "different"))
    output, engine = run(monkeypatch, {"DecidePair": answer}, command, "a", "b", "--by", "clerk-7")
    ((call, request),) = engine.asked
    assert (call, request.first, request.second, request.same, request.by) == ("DecidePair", "a", "b", same, "clerk-7")
    assert answer.pair.state in output


def test_show_lays_the_records_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"name": [{"family": "Example-Moss", "given": ["Quillon"]}], "birthDate": "1980-05-16", "active": False}
    patients = [pb.PersonPatient(id="a", patient=json.dumps(told).encode()), pb.PersonPatient(id="gone")]
    answer = pb.GetPersonResponse(person="p-1", patients=patients, pairs=[PAIR])
    output, _ = run(monkeypatch, {"GetPerson": answer}, "show", "a")
    assert all(text in output for text in ("p-1", "Quillon Example-Moss", "1980-05-16", "gone", "no"))


def test_merges_are_listed_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    merge = pb.PatientMerge(id="m-1", prior="a", survivor="b", merged_by="feed", changes=4)
    answers = {
        "ListMerges": pb.ListMergesResponse(merges=[merge]),
        "UndoMerge": pb.UndoMergeResponse(merge=merge, restored=3),
    }
    output, engine = run(monkeypatch, answers, "merges", "a")
    assert "m-1" in output and engine.asked[0][1].patient == "a"
    output, engine = run(monkeypatch, answers, "merges", "--undo", "m-1", "--by", "clerk-7")
    assert "3 resources" in output
    assert [call for call, _ in engine.asked] == ["UndoMerge"]
