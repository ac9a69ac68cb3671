"""The channel service over a real database: lists, versions, dry runs, drafts, and replays of stored traffic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from cli import channel as command
from engine_world import NOW, World
from interface_engine import entry_grpc_channels
from interface_engine.entry_channels import StoredTraffic, VersionKeeper, record_versions
from interface_engine.entry_grpc_channels import ChannelServicer
from interface_engine.rules import ChannelBook
from interface_engine.rules.loading import SYSTEMS
from interface_engine.store.messages import Messages
from interface_engine.wire.arrivals import arrival_of
from kernel.clock import FixedClock
from kernel.errors import Refused, Unreadable
from kernel.rules import RuleError
from rcm.engine.v1 import channels_pb2 as pb
from rich.console import Console

EPIC = SYSTEMS / "epic"


def files_of(folder: Path) -> list[pb.NamedFile]:
    found = [file for file in sorted(folder.iterdir()) if file.suffix in (".yaml", ".csv")]
    return [pb.NamedFile(name=file.name, content=file.read_bytes()) for file in found]


def samples_of(folder: Path) -> list[pb.NamedFile]:
    return [pb.NamedFile(name=file.name, content=file.read_bytes()) for file in sorted((folder / "samples").iterdir())]


def site_with_epic(folder: Path) -> Path:
    (folder / "sources").mkdir()
    for file in EPIC.iterdir():
        if file.is_file():
            (folder / "sources" / file.name).write_bytes(file.read_bytes())
    return folder


class Stored:
    """Traffic as the message store gives it."""

    async def __call__(
        self, tenant: str, channel: str, since: datetime | None, limit: int
    ) -> AsyncIterator[tuple[str, bytes]]:
        assert channel == "epic"
        for one in samples_of(EPIC)[:limit]:
            yield one.name, one.content


@pytest.fixture
def servicer(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ChannelServicer:
    class Call:
        tenant = world.tenant

    monkeypatch.setattr(entry_grpc_channels, "call_of", lambda context: Call)
    site = site_with_epic(tmp_path)
    return ChannelServicer(world.database, ChannelBook(site), Stored(), FixedClock(NOW), site)


async def test_versions_say_what_was_in_force_when_and_by_whom(servicer: ChannelServicer, world: World) -> None:
    assert servicer.site is not None
    names = tuple(servicer.book.channels())
    assert sorted(await record_versions(world.database, world.tenant, servicer.book, names, servicer.site)) == [
        "default", "epic", "synthea",
    ]  # fmt: skip
    assert await record_versions(world.database, world.tenant, servicer.book, names, servicer.site) == []
    file = servicer.site / "sources" / "epic.yaml"
    file.write_text(file.read_text() + "owner: revenue integrity\n")
    assert servicer.book.refresh() == ("epic",)
    world.clock.advance(hours=1)
    assert await record_versions(world.database, world.tenant, servicer.book, ("epic",), servicer.site) == ["epic"]
    answer = await servicer.GetChannel(pb.GetChannelRequest(name="epic"), None)
    assert [(one.number, one.recorded_by) for one in answer.versions] == [(2, "revenue integrity"), (1, "site files")]
    before = pb.GetChannelRequest(name="epic")
    before.at.FromDatetime(NOW)
    then = {one.name: one.content for one in (await servicer.GetChannel(before, None)).files}
    assert set(then) == {"epic.yaml", "epic_payers.csv", "epic_providers.csv"}
    assert b"revenue integrity" not in then["epic.yaml"]
    before.at.FromDatetime(NOW - timedelta(days=1))
    with pytest.raises(Refused):
        await servicer.GetChannel(before, None)
    listed = await servicer.ListChannels(pb.ListChannelsRequest(), None)
    assert [(one.name, one.version, one.format) for one in listed.channels] == [
        ("default", 1, "fhir"), ("epic", 2, "hl7v2"), ("synthea", 1, "fhir"),
    ]  # fmt: skip


async def test_a_dry_run_shows_fields_codes_elements_and_what_changes(servicer: ChannelServicer) -> None:
    request = pb.TestChannelRequest(files=files_of(EPIC), samples=samples_of(EPIC))
    answer = await servicer.TestChannel(request, None)
    assert [one.outcome for one in answer.samples] == ["mapped"] * 3
    made = {(one.element, one.source) for one in answer.samples[1].made}
    assert {
        ("Patient.birthDate", "PID-7"),
        ("ChargeItem.code", "FT1(2)-25"),
        ("ChargeItem.extension", "FT1-26"),
    } <= made
    assert not answer.differences and not answer.unmapped
    assert {one.field for one in answer.fields if not one.read} == {"FT1-7"}
    changed = [
        pb.NamedFile(name=one.name, content=one.content.replace(b"code: [FT1-25, FT1-7]", b"code: FT1-7"))
        for one in request.files
    ]
    other = await servicer.TestChannel(pb.TestChannelRequest(files=changed, samples=samples_of(EPIC)), None)
    assert {one.code for one in other.unmapped} == {"30010", "30020", "30030"}
    assert {(one.disposition, one.reason) for one in other.charges} == {("hold", "unmapped-code")}
    assert {one.change for one in other.differences} == {"added", "removed"}


async def test_a_bad_file_is_refused_with_file_line_and_reason(servicer: ChannelServicer) -> None:
    bad = [pb.NamedFile(name="epic.yaml", content=b"name: epic\nformat: hl7v2\ncharges: {code: FT1-0}\n")]
    with pytest.raises(RuleError) as caught:
        await servicer.TestChannel(pb.TestChannelRequest(files=bad, samples=samples_of(EPIC)), None)
    assert (caught.value.file, caught.value.line) == ("epic.yaml", 3)
    for name in ("../epic.yaml", ".epic.yaml", ""):
        with pytest.raises(Unreadable):
            await servicer.TestChannel(
                pb.TestChannelRequest(files=[pb.NamedFile(name=name, content=b"")], samples=samples_of(EPIC)), None
            )
    with pytest.raises(Unreadable):
        await servicer.TestChannel(pb.TestChannelRequest(name="epic"), None)
    with pytest.raises(Refused):
        await servicer.TestChannel(pb.TestChannelRequest(name="nobody", samples=samples_of(EPIC)), None)


async def test_a_replay_shows_the_difference_in_claims_before_anything_is_in_force(servicer: ChannelServicer) -> None:
    files = files_of(EPIC)
    same = await servicer.ReplayChannel(pb.ReplayChannelRequest(name="epic", files=files), None)
    assert not same.differences and same.now == same.then and same.now.visits == 1
    changed = [
        pb.NamedFile(name=one.name, content=one.content.replace(b"  modifiers: FT1-26\n", b"  modifiers: FT1-27\n"))
        for one in files
    ]
    other = await servicer.ReplayChannel(pb.ReplayChannelRequest(name="epic", files=changed), None)
    assert {one.change for one in other.differences} == {"added", "removed"}
    assert any("99214-25" in one.line for one in other.differences if one.change == "removed")
    assert any("99214 " in one.line for one in other.differences if one.change == "added")


@pytest.mark.parametrize("name", ["epic", "nextgen", "eclinicalworks", "modmed", "tebra", "imd", "advancedmd"])
async def test_a_draft_made_of_samples_can_be_loaded_and_run(servicer: ChannelServicer, name: str) -> None:
    samples = samples_of(SYSTEMS / name)
    drafted = await servicer.InferChannel(pb.InferChannelRequest(name=name, samples=samples), None)
    assert drafted.findings
    files = [
        pb.NamedFile(name=one.name, content=one.content.replace(b"FILL-IN", b"99213" if "codes" in one.name else b"X"))
        for one in drafted.files
    ]
    answer = await servicer.TestChannel(pb.TestChannelRequest(files=files, samples=samples), None)
    assert {one.outcome for one in answer.samples} == {"mapped"}
    assert sum(one.count for one in answer.charges) > 0
    assert all(one.reason != "code-missing" for one in answer.charges)


async def test_what_is_no_sample_is_refused(servicer: ChannelServicer) -> None:
    with pytest.raises(Unreadable):
        await servicer.InferChannel(
            pb.InferChannelRequest(name="x", samples=[pb.NamedFile(name="a", content=b"hello")]), None
        )


async def test_the_command_prints_what_the_service_says(
    servicer: ChannelServicer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: dict[str, Any] = {
        "TestChannel": await servicer.TestChannel(pb.TestChannelRequest(name="epic", samples=samples_of(EPIC)), None),
        "ListChannels": await servicer.ListChannels(pb.ListChannelsRequest(), None),
        "ReplayChannel": await servicer.ReplayChannel(pb.ReplayChannelRequest(name="epic", files=files_of(EPIC)), None),
        "InferChannel": await servicer.InferChannel(pb.InferChannelRequest(name="e", samples=samples_of(EPIC)), None),
        "GetChannel": pb.GetChannelResponse(channel=pb.ChannelSummary(name="epic", format="hl7v2", transport="mllp")),
    }
    asked: list[Any] = []

    class FakeLine:
        async def channels(self, call: str, request: Any) -> Any:
            asked.append((call, request))
            return answers[call]

    def ask(folder: Path, question: Any) -> Any:
        return question(FakeLine()).send(None)

    def answer(folder: Path, question: Any) -> Any:
        try:
            ask(folder, question)
        except StopIteration as done:
            return done.value
        raise AssertionError

    monkeypatch.setattr(command, "ask_line", answer)
    monkeypatch.setattr("cli.render.console", lambda: Console(width=200))
    command.list_channels()
    command.test([EPIC / "samples"], name="epic", verbose=True)
    command.replay("epic", config=EPIC / "epic.yaml")
    command.infer([EPIC / "samples"], name="e")
    command.show("epic", at=datetime(2026, 1, 1, tzinfo=UTC))
    out = capsys.readouterr().out
    for text in ("epic", "FT1(2)-25", "no difference in what would be billed", "code: FT1-25", "$192.00"):
        assert text in out
    sent = next(request for call, request in asked if call == "ReplayChannel")
    assert [one.name for one in sent.files] == ["epic.yaml", "epic_payers.csv", "epic_providers.csv"]


async def test_stored_messages_are_played_oldest_first(world: World, servicer: ChannelServicer) -> None:
    channel = servicer.book.channel("epic")
    async with world.database.unit(world.tenant) as unit:
        arrivals = [arrival_of(channel, one.content, NOW) for one in samples_of(EPIC)]
        await Messages(unit).take(arrivals, timedelta(days=30))
    traffic = StoredTraffic(world.database)
    raw = [text async for _, text in traffic(world.tenant, "epic", None, 10)]
    assert raw == [one.content for one in samples_of(EPIC)]
    assert [text async for _, text in traffic(world.tenant, "epic", None, 2)] == raw[1:]
    assert [one async for one in traffic(world.tenant, "other", None, 10)] == []


async def test_the_keeper_notes_what_is_in_force_and_every_change(world: World, servicer: ChannelServicer) -> None:
    keeper = VersionKeeper(world.database, world.tenant, servicer.book, servicer.site, structlog.get_logger())
    servicer.book.subscribe(keeper.changed)
    running = asyncio.create_task(keeper.run())
    try:
        await numbered(servicer, 1)
        assert servicer.site is not None
        file = servicer.site / "sources" / "epic.yaml"
        file.write_text(file.read_text() + "owner: billing\n")
        servicer.book.refresh()
        await numbered(servicer, 2)
    finally:
        running.cancel()


async def numbered(servicer: ChannelServicer, number: int) -> None:
    """Waits until the newest version of the feed has this number."""
    async with asyncio.timeout(20):
        while True:
            listed = await servicer.ListChannels(pb.ListChannelsRequest(), None)
            if any(one.name == "epic" and one.version == number for one in listed.channels):
                return
            await asyncio.sleep(0.02)
