"""Feeds to payment: a visit is the same claim and the same money by HL7 v2, by a CSV export and by FHIR."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.stack import Stack
from feed_line import CODES, DAY, DOORS, FeedLine, answered, play, until, visits_of
from feed_messages import (
    CSV_FEED,
    HL7_FEED,
    LOCAL,
    FeedVisit,
    MllpSender,
    adt,
    billed,
    booking_without_schedule,
    cents_of,
    code_map,
    dft,
    export_of,
    free_port,
    messages_of,
    write_site,
)
from interface_engine.rules.loading import SYSTEMS
from kernel import codes
from rcm.engine.v1 import messages_pb2
from simulator.ehr import table_visits as table
from stack import doubled, query, unsent


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedLine]:
    folder = tmp_path_factory.mktemp("feeds")
    folder.chmod(0o711)
    port = free_port()
    sources = write_site(folder / "site", port, folder / "drop")
    extra = {"interface-engine": {"RCM_SITE_DIR": str(folder / "site"), "RCM_CHANNELS_EVERY_S": "0.3"}}
    with Stack(folder / "line", extra=extra, trace=False) as stack:
        line = FeedLine(stack, port, sources, folder / "drop")
        asyncio.run(play(line))
        yield line


@pytest.mark.parametrize("door", [HL7_FEED, CSV_FEED])
def test_a_visit_of_a_feed_is_the_same_claim_as_its_twin_in_fhir(feeds: FeedLine, door: str) -> None:
    twins = [billed(claim) for claim in feeds.claims["fhir"]]
    assert [billed(claim) for claim in feeds.claims[door]] == twins
    assert [one.payer_id for one in feeds.journeys[door]] == [one.payer_id for one in feeds.journeys["fhir"]]


@pytest.mark.parametrize("door", DOORS)
def test_every_visit_is_paid_as_its_story_says_to_the_cent(feeds: FeedLine, door: str) -> None:
    for one, journey in zip(visits_of(door), feeds.journeys[door], strict=True):
        wanted = one.story.expected
        assert (journey.outcome, journey.reason) == ("paid", ""), one.visit_number
        assert (journey.billed_cents, journey.paid_cents) == (wanted.billed_cents, wanted.paid_cents)
        assert journey.patient_cents == wanted.patient_cents


async def test_every_charge_of_the_day_is_accounted_for(feeds: FeedLine) -> None:
    account = await feeds.account()
    assert account.balances
    came = {one.channel: (one.count_in, one.cents_in) for one in account.days}
    for door in (HL7_FEED, CSV_FEED):
        lines = [line for one in visits_of(door) for line in one.lines]
        assert came[door] == (len(lines), sum(line.charge_cents for line in lines))
    became = {(one.disposition, one.reason) for day in account.days for one in day.became}
    assert became == {("charge", "")}


def test_reconcile_prints_the_account(feeds: FeedLine) -> None:
    status, text = feeds.command("reconcile", "--days", "2")
    assert status == 0, text
    assert "everything that came in is accounted for" in text
    assert HL7_FEED in text and CSV_FEED in text


def test_messages_are_found_and_shown_by_the_command(feeds: FeedLine) -> None:
    one, journey = visits_of(HL7_FEED)[0], feeds.journeys[HL7_FEED][0]
    status, text = feeds.command("message", "search", "--mrn", one.mrn)
    assert status == 0 and [kind for kind in ("ADT^A04", "DFT^P03", "ADT^A03") if kind in text] != [], text
    by_claim = feeds.command("message", "search", "--resource", f"Claim/{journey.claim_id}")[1]
    assert "DFT^P03" in by_claim and one.mrn in by_claim
    charged = next(row for row in by_claim.splitlines() if "DFT^P03" in row)
    (found,) = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", charged)
    status, shown = feeds.command("message", "show", found)
    assert status == 0 and "FT1|1|" in shown and journey.encounter in shown
    assert feeds.command("message", "show", found, "--raw")[1].encode().replace(b"\n", b"\r") == dft(one)
    assert "no message matches" in feeds.command("message", "dead-letters")[1]


async def test_a_replay_of_everything_changes_nothing(feeds: FeedLine) -> None:
    before, account = await feeds.books(), (await feeds.account()).SerializeToString(deterministic=True)
    for door in (HL7_FEED, CSV_FEED):
        status, text = await asyncio.to_thread(feeds.command, "message", "replay", "--channel", door)
        assert status == 0, text
    assert {one.state for one in await feeds.worked()} == {"kept"}
    for one in visits_of(HL7_FEED):
        assert set(await feeds.send(*messages_of(one))) == {"AA"}
    await feeds.put("day1.csv", export_of(visits_of(CSV_FEED)))
    await feeds.worked()
    await asyncio.sleep(2)
    assert await feeds.books() == before
    assert (await feeds.account()).SerializeToString(deterministic=True) == account
    assert await doubled(feeds.stack.owner_url) == []


async def test_a_charge_told_anew_is_replaced_and_a_replay_leaves_it_so(feeds: FeedLine) -> None:
    one = FeedVisit(401, table.OFFICE[1], "A", "0", "F", DAY)
    again = dft(one, step=4).replace(b"|155.00|", b"|165.00|")
    assert again != dft(one, step=4)
    await feeds.send(adt(one, "A04", 1, "0900"), dft(one), again)
    await feeds.worked()
    account = await feeds.account()
    assert account.balances
    first = (await feeds.messages(visit=one.visit_number))[1]
    async with feeds.asking() as line:
        await line.replay_messages([first.id], messages_pb2.SearchMessagesRequest())
    await feeds.worked()
    assert await feeds.account() == account
    assert {row.reason for day in account.days for row in day.became} >= {"told-anew"}


async def test_an_unmapped_code_holds_the_visit_until_its_row_is_added(feeds: FeedLine) -> None:
    visits = [FeedVisit(411 + n, table.OFFICE[2], "A", str(n), "F", DAY) for n in range(2)]
    for one in visits:
        await feeds.send(*messages_of(one, local="NEW"))
    encounters = await feeds.encounters(visits) if await feeds.worked() else []
    held = await feeds.settle(encounters)
    assert {(one.state, one.outcome, one.claim_id) for one in held} == {("waiting", "review", "")}
    assert ("hold", "unmapped-code") in {
        (row.disposition, row.reason) for day in (await feeds.account()).days for row in day.became
    }
    row = f"{LOCAL},NEW99213,{codes.CPT},99213,2020-01-01,,map,billing\n"
    (feeds.sources / "clinic_codes.csv").write_text(code_map(CODES) + row)
    for one, journey in zip(visits, await feeds.settle(encounters, "paid"), strict=True):
        assert journey.paid_cents == one.story.expected.paid_cents
    account = await feeds.account()
    assert account.balances
    assert "unmapped-code" not in {row.reason for day in account.days for row in day.became}


async def test_a_row_that_is_added_while_the_engine_is_away_lets_the_visit_go_when_it_is_back(feeds: FeedLine) -> None:
    one = FeedVisit(415, table.OFFICE[2], "B", "0", "F", DAY)
    await feeds.send(*messages_of(one, local="LATE"))
    await feeds.worked()
    encounters = await feeds.encounters([one])
    assert [journey.outcome for journey in await feeds.settle(encounters)] == ["review"]
    file = feeds.sources / "clinic_codes.csv"
    feeds.stack.kill("interface-engine")
    file.write_text(file.read_text() + f"{LOCAL},LATE99213,{codes.CPT},99213,2020-01-01,,map,billing\n")
    (journey,) = await feeds.settle(encounters, "paid")
    assert journey.paid_cents == one.story.expected.paid_cents


async def test_a_bad_channel_file_is_refused_and_the_feed_goes_on(feeds: FeedLine) -> None:
    good = (feeds.sources / "clinic.yaml").read_text()
    log = feeds.stack.logs_dir / "interface-engine.log"
    (feeds.sources / "clinic.yaml").write_text(good + "banana: 1\n")
    try:
        await until(lambda: answered("a channel file cannot be used" in log.read_text()))
        said = next(row for row in log.read_text().splitlines() if "a channel file cannot be used" in row)
        assert "clinic.yaml" in said and str(good.count("\n") + 1) in said
        one = FeedVisit(421, table.OFFICE[2], "B", "0", "M", DAY)
        assert set(await feeds.send(*messages_of(one))) == {"AA"}
        await feeds.worked()
        (journey,) = await feeds.settle(await feeds.encounters([one]))
        assert journey.outcome == "paid"
    finally:
        (feeds.sources / "clinic.yaml").write_text(good)


async def test_poison_holds_back_one_patient_and_goes_by_a_persons_decision(feeds: FeedLine) -> None:
    ill, well = (FeedVisit(number, table.OFFICE[2], "A", "0", "M", DAY) for number in (431, 432))
    poison = booking_without_schedule(ill, 9)
    assert set(await feeds.send(adt(ill, "A04", 1, "0900"), poison, dft(ill), adt(ill, "A03", 3, "0925"))) == {"AA"}
    await feeds.send(*messages_of(well))
    (journey,) = await feeds.settle(await _encounter_of(feeds, well))
    assert journey.outcome == "paid"
    stuck = {one.control_id: one.state for one in await feeds.messages(mrn=ill.mrn)}
    assert stuck == {"431-1": "kept", "431-9": "failed", "431-2": "received", "431-3": "received"}
    status, text = await asyncio.to_thread(feeds.command, "message", "dead-letters", "--channel", HL7_FEED)
    assert status == 0 and "431-9" in text and "431-2" not in text
    (found,) = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text)
    await asyncio.to_thread(feeds.command, "message", "replay", found)
    await asyncio.sleep(1)
    assert [one.state for one in await feeds.messages(control_id="431-9")] == ["failed"]
    status, text = await asyncio.to_thread(feeds.command, "message", "dismiss", found, "--reason", "sent-in-error")
    assert status == 0, text
    await feeds.worked()
    (journey,) = await feeds.settle(await _encounter_of(feeds, ill))
    assert (journey.outcome, journey.paid_cents) == ("paid", ill.story.expected.paid_cents)


async def _encounter_of(feeds: FeedLine, one: FeedVisit) -> list[str]:
    async with asyncio.timeout(30):
        while True:
            found = await feeds.messages(visit=one.visit_number)
            named = {name for message in found for name in message.resources if name.startswith("Encounter/")}
            if named:
                return sorted(named)
            await asyncio.sleep(0.1)


async def test_the_samples_of_every_shipped_system_end_in_a_claim_or_a_named_review(feeds: FeedLine) -> None:
    # The two feeds of one practice tell of a visit that another sample tells of too.
    systems = [file for file in sorted(SYSTEMS.glob("*/*.yaml")) if file.parent.name != "two-feeds"]
    for file in systems:
        await install_system(feeds, file)
    known = {file.stem for file in systems}
    for message in await feeds.worked():
        assert message.state == "kept" or message.channel not in known, (message.channel, message.reason, message.path)
    account = {day.channel: day for day in (await feeds.account()).days}
    for name in sorted(known):
        assert account[name].count_missing == account[name].cents_missing == 0
        messages = await feeds.messages(channel=name)
        encounters = sorted({ref for one in messages for ref in one.resources if ref.startswith("Encounter/")})
        assert len(encounters) == 1, name
        (journey,) = await feeds.settle(encounters)
        charged = sum(row.count for row in account[name].became if row.disposition == "charge")
        if not journey.claim_id:
            assert journey.outcome in ("review", "held") and journey.reason, name
            continue
        claim = await feeds.claim(journey)
        assert 0 < len(claim["item"]) <= charged, (name, journey.outcome, journey.reason)
        assert cents_of(claim["total"]["value"]) == sum(cents_of(item["net"]["value"]) for item in claim["item"])


async def install_system(feeds: FeedLine, file: Path) -> None:
    """As a site does it: the template with its CSV files, its own port or folder; and then its samples come in."""
    folder = file.parent
    samples = folder / "samples" / file.stem
    samples = samples if samples.is_dir() else folder / "samples"
    drop, port = feeds.drop / file.stem, free_port()
    drop.mkdir()
    for beside in folder.glob("*.csv"):
        (feeds.sources / beside.name).write_bytes(beside.read_bytes())
    text, by_mllp = _installed(file, drop, port)
    (feeds.sources / file.name).write_text(text)
    for sample in sorted(samples.iterdir()):
        if by_mllp:
            sender = MllpSender(port)
            assert await sender.send(sample.read_bytes()) in ("AA", "CA")
            await sender.close()
        else:
            shutil.copy(sample, drop / sample.name)
            await until(lambda name=sample.name: answered((drop / "done" / name).exists()))


def _installed(file: Path, drop: Path, port: int) -> tuple[str, bool]:
    """The template's text with a port or a folder of this machine, and whether it comes by MLLP."""
    text = file.read_text()
    if "kind: mllp" in text:
        return re.sub(r"port: \d+", f"port: {port}", text), True
    charset = "".join(re.findall(r", charset: [^,}]+", text))
    here = f'transport: {{kind: directory, folder: {drop}, pattern: "*", poll_s: 1{charset}}}'
    return re.sub(r"^transport: .*$", here, text, flags=re.M), False


async def test_nothing_stands_twice_and_nothing_waits_in_an_outbox(feeds: FeedLine) -> None:
    schemas = [program.replace("-", "_") for program in feeds.stack.programs() if program != "simulator"]
    assert await doubled(feeds.stack.owner_url) == []
    for schema in schemas:
        assert await query(feeds.stack.owner_url, f"select type, reason from {schema}.dead_letter") == []

    async def all_sent() -> bool:
        return not await unsent(feeds.stack.owner_url, schemas)

    await until(all_sent)
