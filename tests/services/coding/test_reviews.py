"""A visit through coding with an in-memory Work: coded at once, held, decided, amended, cancelled, sent twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from coding.handlers import Arrival, cancel_visit, finish_visit, resolve_review
from coding.model import TRANSITIONS, Coded, Coding, Diagnosis, Line, WorkItem
from coding.rules import Rules
from kernel.errors import Refused, Unreadable

DUE = timedelta(hours=24)


@dataclass
class Ledger:
    """What handlers did: the state kept and the facts told, in order."""

    codings: dict[str, Coding] = field(default_factory=dict)
    items: dict[str, WorkItem] = field(default_factory=dict)
    told: list[tuple[str, Any]] = field(default_factory=list)
    now: datetime = datetime(2026, 2, 10, 18, tzinfo=UTC)

    async def find_coding(self, encounter_key: str) -> Coding | None:
        return self.codings.get(encounter_key)

    async def save_coding(self, coding: Coding) -> None:
        self.codings[coding.encounter_key] = coding

    async def find_item(self, work_id: str) -> WorkItem | None:
        return self.items.get(work_id)

    async def find_open_reviews(self, encounter_key: str) -> list[WorkItem]:
        return [one for one in self.items.values() if one.state == "open" and one.kind != "late-charge"]

    async def open_item(self, item: WorkItem, journey_id: str) -> None:
        self.items[item.work_id] = item
        self.told.append(("opened", item))

    async def close_item(self, item: WorkItem, journey_id: str) -> None:
        self.items[item.work_id] = item
        self.told.append(("closed", item))

    async def announce_coded(self, coding: Coding, coded: Coded, reviewed: bool) -> None:
        self.told.append(("coded", (coded, reviewed)))

    def names(self) -> list[str]:
        return [name for name, _ in self.told]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


async def finish(ledger: Ledger, rules: Rules, chart: Any, version: int = 1) -> None:
    body = chart.message()
    arrival = Arrival(body.facts.SerializeToString(), version, "j" * 32, "")
    await finish_visit(ledger, rules, chart.read(), arrival, DUE)


async def decide(
    ledger: Ledger, rules: Rules, action: str, diagnoses: Sequence[Diagnosis] = (), lines: Sequence[Line] = ()
) -> str:
    (work_id,) = ledger.items
    return await resolve_review(ledger, rules, work_id, action, diagnoses, lines)


async def test_a_sure_visit_is_coded_at_once(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office)
    assert ledger.names() == ["coded"]
    coded, reviewed = ledger.told[0][1]
    assert [line.code for line in coded.lines] == ["99213"]
    assert not reviewed


async def test_sent_twice_it_is_coded_once(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office, 1)
    await finish(ledger, rules, office, 1)
    await finish(ledger, rules, office, 2)
    assert ledger.names() == ["coded"]
    assert ledger.codings["key-1"].version == 2


async def test_an_older_version_is_ignored(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office, 5)
    office.procedure("20610")
    await finish(ledger, rules, office, 4)
    assert ledger.names() == ["coded"]
    assert ledger.codings["key-1"].version == 5


async def test_a_source_without_versions_is_heard_each_time(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office.visit("99215"), 0)
    await finish(ledger, rules, office.visit("99213"), 0)
    assert ledger.names() == ["opened", "closed", "coded"]


async def test_a_doubtful_visit_waits_with_one_work_item(ledger: Ledger, office: Any, rules: Rules) -> None:
    office.visit("99215")
    await finish(ledger, rules, office)
    await finish(ledger, rules, office, 2)
    assert ledger.names() == ["opened"]
    item = ledger.told[0][1]
    assert (item.kind, item.reason, item.owner, item.encounter) == ("coder-review", "em-over", "coder", "Encounter/e1")
    assert item.due_on.isoformat() == "2026-02-11"


async def test_an_unmapped_code_goes_to_who_keeps_the_maps(ledger: Ledger, office: Any, rules: Rules) -> None:
    office.unmapped = ["Procedure/local"]
    await finish(ledger, rules, office)
    item = ledger.told[0][1]
    assert (item.kind, item.reason, item.owner) == ("unmapped-code", "unmapped-code", "it")


async def test_a_corrected_visit_closes_its_review_and_goes_on(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office.visit("99215"))
    await finish(ledger, rules, office.visit("99213"), 2)
    assert ledger.names() == ["opened", "closed", "coded"]
    assert ledger.told[1][1].state == "resolved"


async def test_another_kind_of_doubt_is_another_work_item(ledger: Ledger, office: Any, rules: Rules) -> None:
    office.unmapped = ["Procedure/local"]
    await finish(ledger, rules, office)
    await finish(ledger, rules, office.visit("99215"), 2)
    assert [(name, item.kind) for name, item in ledger.told] == [
        ("opened", "unmapped-code"),
        ("closed", "unmapped-code"),
        ("opened", "coder-review"),
    ]


async def test_accepting_keeps_the_proposal(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office.visit("99215"))
    assert await decide(ledger, rules, "accept") == "resolved"
    assert await decide(ledger, rules, "accept") == "resolved"
    assert ledger.names() == ["opened", "closed", "coded"]
    coded, reviewed = ledger.told[-1][1]
    assert reviewed
    assert coded.errors == ()
    assert [line.code for line in coded.lines] == ["99215"]
    assert [finding.rule_id for finding in coded.findings] == ["em-over"]


async def test_recoding_replaces_lines_and_fills_what_the_coder_left_out(
    ledger: Ledger, office: Any, rules: Rules
) -> None:
    await finish(ledger, rules, office.visit("99215"))
    proposed = ledger.codings["key-1"].proposal.lines[0]
    written = replace(proposed, code="99213", line_id="", place="", rendering_npi="", pointers=())
    added = replace(written, code="36415", source="")
    assert await decide(ledger, rules, "recode", [Diagnosis(1, "I10", "")], [written, added]) == "resolved"
    coded, _ = ledger.told[-1][1]
    assert coded.lines[0] == replace(proposed, code="99213")
    assert coded.lines[1].source == "Encounter/e1#coder-2"
    assert coded.lines[1].place == "11"
    assert coded.lines[1].line_id != coded.lines[0].line_id


async def test_not_billable_goes_on_without_lines(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office.visit("99215"))
    await decide(ledger, rules, "not-billable")
    coded, reviewed = ledger.told[-1][1]
    assert (coded.lines, reviewed) == ((), True)


async def test_what_cannot_be_decided_is_refused_and_changes_nothing(ledger: Ledger, chart: Any, rules: Rules) -> None:
    await finish(ledger, rules, chart)
    for action, code in (("accept", "nothing-to-accept"), ("recode", "recode-empty")):
        with pytest.raises(Refused) as refused:
            await decide(ledger, rules, action)
        assert refused.value.code == code
    with pytest.raises(Unreadable):
        await decide(ledger, rules, "maybe")
    with pytest.raises(Refused) as unknown:
        await resolve_review(ledger, rules, "nobody", "accept", (), ())
    assert unknown.value.kind == "not_found"
    assert ledger.names() == ["opened"]


async def test_what_comes_after_coding_is_a_late_charge(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office)
    office.procedure("20610")
    await finish(ledger, rules, office, 2)
    await finish(ledger, rules, office, 2)
    assert ledger.names() == ["coded", "opened"]
    assert ledger.told[1][1].kind == "late-charge"
    assert await decide(ledger, rules, "accept") == "resolved"
    assert ledger.names() == ["coded", "opened", "closed"]


async def test_what_comes_while_a_coder_looks_is_part_of_the_review(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office.visit("99215"))
    office.procedure("20610")
    await finish(ledger, rules, office, 2)
    await decide(ledger, rules, "accept")
    coded, _ = ledger.told[-1][1]
    assert [line.code for line in coded.lines] == ["99215", "20610"]
    assert "late-charge" not in {item.kind for item in ledger.items.values()}


async def test_a_visit_that_a_coder_changed_is_not_late_when_it_comes_again(
    ledger: Ledger, office: Any, rules: Rules
) -> None:
    await finish(ledger, rules, office.visit("99215"))
    await decide(ledger, rules, "not-billable")
    await finish(ledger, rules, office, 2)
    assert ledger.names() == ["opened", "closed", "coded"]


async def test_a_cancelled_visit_closes_its_review(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office.visit("99215"))
    await cancel_visit(ledger, "key-1", 2, DUE)
    await cancel_visit(ledger, "key-1", 2, DUE)
    assert ledger.names() == ["opened", "closed"]
    assert ledger.told[1][1].state == "cancelled"
    assert await decide(ledger, rules, "accept") == "cancelled"
    assert "coded" not in ledger.names()


async def test_cancelling_what_was_handed_on_needs_a_person(ledger: Ledger, office: Any, rules: Rules) -> None:
    await finish(ledger, rules, office)
    await cancel_visit(ledger, "key-1", 2, DUE)
    assert ledger.told[1][1].reason == "encounter-cancelled"


async def test_a_stale_or_unknown_cancellation_is_ignored(ledger: Ledger, office: Any, rules: Rules) -> None:
    await cancel_visit(ledger, "key-1", 9, DUE)
    await finish(ledger, rules, office, 5)
    await cancel_visit(ledger, "key-1", 4, DUE)
    assert ledger.names() == ["coded"]
    assert ledger.codings["key-1"].state == "coded"


def test_every_transition_is_decided() -> None:
    legal = {(a, b) for a, b, allowed in TRANSITIONS.every_pair() if allowed}
    assert legal == {
        ("review", "review"),
        ("review", "coded"),
        ("review", "cancelled"),
        ("coded", "cancelled"),
        ("cancelled", "coded"),
        ("cancelled", "review"),
    }
