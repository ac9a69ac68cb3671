"""One stack, all canaries through all doors, and what could be observed of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from canary_console import ConsoleDoor
from canary_facts import Calls, deaths, make_database_echo, publish_strange
from canary_feeds import FOLDER_FEED, Feeds, add_folder_feed
from canary_fhir import FhirDoor, bad, feed_client, good, submissions, tokens, wanted
from canary_marks import Finder, Hit, Marks, Place
from canary_outside import Outside
from canary_people import Canary
from canary_places import everything
from canary_x12 import era, mails, marked_answer
from chassis import ask, open_channel
from cli.client import Place as Address
from cli.stack import Stack
from feed_line import FeedLine, until
from feed_messages import free_port, write_site
from rcm.journey.v1 import journey_pb2
from rcm.remittance.v1 import remittance_pb2, remittance_pb2_grpc
from simulator.ehr import table_visits as table

AT_FHIR = ("fhir", "denied", "large", "rejected", "refused")
EXPORTED_EVERY_S = 1.5  # the span exporters write every second


@dataclass
class CanaryRun:
    """What was driven through, with what, and what was answered."""

    stack: Stack
    outside: Outside
    marks: Marks
    planted: Marks
    feeds: FeedLine
    folder: Path
    sent: list[bytes] = field(default_factory=list)
    said: list[Place] = field(default_factory=list)
    journeys: dict[str, journey_pb2.Journey] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)
    refused_calls: int = 0
    signed_in: int = 0
    console_pages: int = 0
    dead: int = 0
    echoed: dict[str, str] = field(default_factory=dict)

    async def places(self) -> list[Place]:
        """All that can be observed: the stack, its surroundings, and what errors said."""
        return [*await everything(self.stack), *self.outside.places(), *self.said]

    def leaks(self, places: list[Place]) -> list[Hit]:
        return Finder(self.marks).hits(places)


@contextmanager
def canary_run(folder: Path) -> Iterator[CanaryRun]:
    """A running stack through which all canaries have gone."""
    marks, port = Marks(), free_port()
    sources = write_site(folder / "site", port, folder / "drop")
    add_folder_feed(sources, folder / FOLDER_FEED)
    with closing(Outside()) as outside:
        everyone = {
            "RCM_CLEARINGHOUSE_URL": outside.url, "RCM_OTLP_ENDPOINT": outside.url, "RCM_SQL_SPANS": "statement",
        }  # fmt: skip
        engine = {"RCM_SITE_DIR": str(folder / "site"), "RCM_CHANNELS_EVERY_S": "0.3"}
        simulator = {"RCM_CLEARINGHOUSE_URL": ""}
        with Stack(folder / "line", extra={"*": everyone, "interface-engine": engine, "simulator": simulator}) as stack:
            outside.target = stack.clearinghouse_url
            feeds = FeedLine(stack, port, sources, folder / "drop")
            run = CanaryRun(stack, outside, marks, Marks(), feeds, folder)
            outside.change = partial(_answer, run)
            asyncio.run(_drive(run))
            yield run


def _answer(run: CanaryRun, question: str, answer: str) -> str:
    told = marked_answer(run.marks, question, answer)
    run.sent.append(told.encode())
    return told


async def _drive(run: CanaryRun) -> None:
    async with httpx.AsyncClient(timeout=60) as http:
        door = FhirDoor(run.stack, http, said=run.said, sent=run.sent, statuses=run.statuses, surprises=run.surprises)
        feeds = Feeds(run.feeds, door, run.folder / FOLDER_FEED, run.sent)
        people = _people(run.marks)
        await asyncio.gather(
            _through_fhir(run, door, people), _through_feeds(run, door, feeds, people), _from_outside(run)
        )
        await _settled(run, people)
        await _failing_database(run, door, feeds)
        await _inside(run)
    await asyncio.sleep(EXPORTED_EVERY_S)


def _people(marks: Marks) -> dict[str, Canary]:
    """By the key of their marks; numbers keep them apart."""
    rows = (
        ("fhir", table.PROCEDURES[0], "B0"), ("denied", table.LABS[2], "A9"), ("large", table.OFFICE[2], "A0"),
        ("rejected", table.OFFICE[1], "B8"), ("refused", table.OFFICE[1], "B0"), ("hl7", table.INJECTIONS[1], "A0"),
        ("hl7-broken", table.OFFICE[2], "B0"), ("http", table.LABS[2], "A0"), ("file", table.OFFICE[2], "A0"),
    )  # fmt: skip
    return {key: Canary.of(key, number, what, letter, marks) for number, (key, what, letter) in enumerate(rows, 1)}


async def _through_fhir(run: CanaryRun, door: FhirDoor, people: dict[str, Canary]) -> None:
    for key in AT_FHIR:
        for bundle in people[key].bundles():
            await door.ask(wanted(f"transaction {key}", "POST", "/fhir", bundle, 200))
    for number, who in enumerate(("garbled member", "refusing member"), 30):
        one = Canary.of(who, number, table.OFFICE[2], "A0", run.marks)
        unknown = run.marks.word(f"answer.{who}").upper()
        for bundle in one.bundles():
            told = bundle.replace(one.visit.person.member_id.encode(), unknown.encode())
            await door.ask(wanted(f"transaction {who}", "POST", "/fhir", told, 200))
        run.marks.forget(f"{who}.member")
    path = urlsplit(run.stack.clients["default"].token_url).path
    asked = [
        *good(people["fhir"]),
        *bad(people["refused"]),
        *submissions(people["denied"]),
        *tokens(people["fhir"], path),
    ]
    for request in asked:
        await door.ask(request)


async def _through_feeds(run: CanaryRun, door: FhirDoor, feeds: Feeds, people: dict[str, Canary]) -> None:
    client = await feed_client(run.stack, "clinic")
    await until(lambda: _listens(run.feeds.port))
    await feeds.drops(people["file"])
    await feeds.mllp(*people["hl7"].messages())
    await feeds.break_mllp(people["hl7-broken"])
    await feeds.http(people["http"], client)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _from_outside(run: CanaryRun) -> None:
    """Files in the mailbox, and remittances handed over by a person."""
    for kind, content in mails(run.marks):
        run.sent.append(content)
        run.outside.put(kind, content)
    channel = open_channel(Address.read(run.stack.folder / "stack.json").grpc["remittance"])
    try:
        stub = remittance_pb2_grpc.RemittanceServiceStub(channel)
        for key, amount in (("by hand", 8_000), ("by hand unequal", 7_000)):
            text = era(run.marks, key, amount_cents=amount).encode()
            run.sent.append(text)
            await ask(
                stub.ReceiveRemittance, remittance_pb2.ReceiveRemittanceRequest(x12=text), tenant="demo", deadline_s=20
            )
    finally:
        await channel.close()


async def _settled(run: CanaryRun, people: dict[str, Canary]) -> None:
    """The journeys of those who are to be paid."""
    ours = {key: people[key].visit.story.encounter for key in AT_FHIR}
    (ours["hl7"],) = await run.feeds.encounters([people["hl7"].visit])
    found = await run.feeds.settle(list(ours.values()))
    run.journeys = dict(zip(ours, found, strict=True))


async def _failing_database(run: CanaryRun, door: FhirDoor, feeds: Feeds) -> None:
    """A patient whom the database of one service refuses, for each service, at every door that leads there."""
    run.echoed = await make_database_echo(run.stack, run.marks)
    for number, (program, word) in enumerate(run.echoed.items(), 50):
        one = Canary.of(f"echo {program}", number, table.OFFICE[2], "A0", run.marks)
        bundles = [raw.replace(one.visit.person.first.encode(), word.encode()) for raw in one.bundles()]
        for bundle in bundles:
            await door.ask(wanted(f"refused by the database of {program}", "POST", "/fhir", bundle))
        if program == "interface-engine":
            continue  # its listener holds a line open for as long as nothing can be kept
        messages = [raw.replace(one.visit.person.first.encode(), word.encode()) for raw in one.messages()]
        await feeds.mllp(*messages)
    await asyncio.sleep(3)


async def _by_command(run: CanaryRun) -> None:
    """What the command says of files that cannot be taken in, which may well go to a log."""
    mark = run.marks.word
    files = {
        "broken.json": f'{{"resourceType": "Bundle", "name": {mark("command broken")}',
        "refused.json": json.dumps({"resourceType": "Patient", "gender": mark("command gender")}),
        "lost.json": json.dumps({"resourceType": "Bundle", "type": mark("command type"), "entry": []}),
    }
    for name, text in files.items():
        file = run.folder / name
        file.write_text(text)
        run.sent.append(text.encode())
        status, said = await asyncio.to_thread(run.feeds.command, "submit", str(file))
        assert status != 0, name
        run.said.append(Place("command output", f"submit {name}", said.encode()))


async def _inside(run: CanaryRun) -> None:
    run.sent += await publish_strange(run.stack, run.marks)
    await _by_command(run)
    console = ConsoleDoor(run.stack, run.marks, run.said, run.sent)
    await console.run(tuple(run.marks.by_name[f"hl7.{field}"].value for field in ("mrn", "visit", "member", "last")))
    run.signed_in, run.console_pages = console.signed_in, console.pages
    calls = Calls(run.stack, run.marks, run.said, run.sent)
    await calls.run()
    run.refused_calls = calls.refused

    async def buried() -> bool:
        run.dead = await deaths(run.stack)
        return run.dead >= 7

    await until(buried)
