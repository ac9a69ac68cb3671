"""Files that feeds put into folders, here and on an SFTP server: each taken in once and whole, or refused whole."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncssh
import pytest
import structlog
from bus import Database
from chassis.storage_errors import STORAGE_ERRORS
from interface_engine.clients.folders import LocalFolder, SftpFolder, is_whole, open_folder
from interface_engine.entry_drop import DropWatcher
from interface_engine.entry_files import FileIntake
from interface_engine.entry_intake import Intake
from interface_engine.model_charges import Tally
from interface_engine.model_messages import Wanted
from interface_engine.rules.channel import Channel, Transport
from interface_engine.store.charges import Charges
from interface_engine.store.messages import Messages
from kernel.clock import FixedClock
from kernel.errors import Unavailable
from message_feed import feed
from platform_fixture import Platform

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
EXPORT = """
name: export
format: csv
transport: {kind: directory, folder: drop}
csv:
  columns: [mrn, visit, code, amount]
  required: [mrn]
  visit_columns: [visit]
  trailer: {marker: T, count: 2}
  amount: amount
identity:
  mrn: {from: mrn, system: https://export.example/mrn}
  visit: {from: visit, system: https://export.example/visit}
charges: {code: code, amount: amount, day: visit, system: https://export.example/charge}
"""
GOOD = b"mrn,visit,code,amount\nm1,v1,99213,100.00\nm1,v1,85025,20.00\nm2,v2,99214,150.00\nT,3\n"


def message(control_id: str) -> bytes:
    return f"MSH|^~\\&|EHR|CLINIC|RCM|HUB|20260320||ADT^A04|{control_id}|P|2.5.1\rPID|1||M{control_id}\r".encode()


@dataclass
class House:
    tenant: str
    database: Database
    watcher: DropWatcher
    folder: Path

    def channel(self, **more: object) -> Channel:
        options: dict[str, str | int | bool] = {"folder": str(self.folder)}
        base = replace(feed(), transport=Transport(kind="directory", options=options, max_bytes=5_000))
        return replace(base, **more)  # type: ignore[arg-type]

    @property
    def export(self) -> Channel:
        return replace(feed(EXPORT, "export"), transport=self.channel().transport)

    async def look(self, channel: Channel, times: int = 2) -> list[str]:
        found: list[str] = []
        for _ in range(times):
            found += [taken.state for taken in await self.watcher.look(channel)]
        return found

    async def kinds(self) -> list[str]:
        async with self.database.unit(self.tenant) as unit:
            return [one.kind for one in await Messages(unit).find(Wanted())]

    def lying(self, folder: str = "") -> list[str]:
        return sorted(one.name for one in (self.folder / folder).iterdir() if one.is_file())


@pytest.fixture
async def house(platform: Platform, tenant: str, tmp_path: Path) -> AsyncIterator[House]:
    database = Database(platform.url_for("interface-engine"), "interface_engine", FixedClock(NOW))
    await database.open()
    intake = Intake(database, tenant, timedelta(days=30))
    watcher = DropWatcher(dict, FileIntake(database, tenant, intake), structlog.get_logger())
    folder = tmp_path / "drop"
    folder.mkdir()
    yield House(tenant, database, watcher, folder)
    await database.close()


async def test_a_file_of_messages_becomes_messages_and_is_put_away(house: House) -> None:
    (house.folder / "a.hl7").write_bytes(message("1") + message("2"))
    assert await house.look(house.channel()) == ["read"]
    assert await house.kinds() == ["ADT^A04"] * 2
    assert (house.lying(), house.lying("done")) == ([], ["a.hl7"])


async def test_a_file_that_still_grows_is_left_alone(house: House) -> None:
    file = house.folder / "a.hl7"
    file.write_bytes(message("1"))
    assert await house.look(house.channel(), 1) == []
    file.write_bytes(message("1") + message("2"))
    assert await house.look(house.channel(), 1) == []
    assert await house.look(house.channel(), 1) == ["read"]
    assert len(await house.kinds()) == 2


@pytest.mark.parametrize("name", [".hidden", "a.tmp", "a.part", "a.filepart"])
async def test_names_of_unfinished_files_are_left_alone(house: House, name: str) -> None:
    (house.folder / name).write_bytes(message("1"))
    assert await house.look(house.channel(), 3) == []
    assert not is_whole(name)


async def test_the_same_file_twice_is_known_again(house: House) -> None:
    for name in ("a.csv", "b.csv"):
        (house.folder / name).write_bytes(GOOD)
    assert await house.look(house.export) == ["read", "read"]
    assert await house.kinds() == ["csv"] * 2
    assert house.lying("done") == ["a.csv", "b.csv"]
    (house.folder / "a.csv").write_bytes(GOOD)
    await house.look(house.export)
    assert house.lying("done") == ["a.csv", "a.csv.2", "b.csv"]
    assert len(await house.kinds()) == 2


async def test_a_file_that_is_not_whole_is_refused_whole_with_its_reason_beside_it(house: House) -> None:
    (house.folder / "a.csv").write_bytes(GOOD.replace(b"T,3", b"T,4"))
    assert await house.look(house.export) == ["refused"]
    assert await house.kinds() == []
    assert house.lying("rejected") == ["a.csv", "a.csv.reason.txt"]
    assert b"file-count" in (house.folder / "rejected" / "a.csv.reason.txt").read_bytes()


async def test_bad_rows_go_to_a_reject_file_and_the_day_still_balances(house: House) -> None:
    data = GOOD.replace(b"T,3", b",v9,99215,75.00\nT,4")
    (house.folder / "a.csv").write_bytes(data)
    assert await house.look(house.export) == ["read"]
    assert house.lying("rejected") == ["a.csv.rejected.csv"]
    assert b"5,empty:mrn,,v9,99215,75.00" in (house.folder / "rejected" / "a.csv.rejected.csv").read_bytes()
    async with house.database.unit(house.tenant) as unit:
        (account,) = await Charges(unit).accounts(date(2026, 3, 20), date(2026, 3, 20))
    assert account.balances
    assert account.came_in == Tally(4, 34500)
    assert account.became == {("rejected", "row-unreadable"): Tally(1, 7500), ("waiting", ""): Tally(3, 27000)}


async def test_a_batch_whose_totals_do_not_agree_is_refused(house: House) -> None:
    batch = b"BHS|^~\\&|EHR\r" + message("1") + message("2") + b"BTS|3\r"
    (house.folder / "a.hl7").write_bytes(batch)
    assert await house.look(house.channel()) == ["refused"]
    assert await house.kinds() == []
    (house.folder / "b.hl7").write_bytes(batch.replace(b"BTS|3", b"BTS|2"))
    assert await house.look(house.channel()) == ["read"]


async def test_a_file_above_the_limit_is_refused_unread(house: House) -> None:
    (house.folder / "a.csv").write_bytes(GOOD * 100)
    assert await house.look(house.export) == ["refused"]
    assert b"file-too-large" in (house.folder / "rejected" / "a.csv.reason.txt").read_bytes()


async def test_only_files_of_the_pattern_are_taken(house: House) -> None:
    channel = house.export
    channel = replace(channel, transport=replace(
        channel.transport, options=dict(channel.transport.options) | {"pattern": "*.csv"}))  # fmt: skip
    (house.folder / "readme.txt").write_bytes(b"hello")
    (house.folder / "a.csv").write_bytes(GOOD)
    assert await house.look(channel) == ["read"]
    assert house.lying() == ["readme.txt"]


async def test_a_store_that_is_away_leaves_the_file_where_it_lies(house: House) -> None:
    (house.folder / "a.csv").write_bytes(GOOD)
    await house.look(house.export, 1)
    await house.database.close()
    with pytest.raises(STORAGE_ERRORS):
        await house.look(house.export, 1)
    await house.database.open()
    assert house.lying() == ["a.csv"]
    assert await house.look(house.export, 1) == ["read"]


async def test_a_folder_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await SftpFolder(Transport("sftp", options={"host": "127.0.0.1", "port": 1, "user": "x"})).files("*")
    assert await LocalFolder(Path("/nowhere/at/all")).files("*") == []


# SFTP


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Transport]:
    """An SFTP server of one folder; its key is known to the feed."""
    root, key = tmp_path / "sftp", asyncssh.generate_private_key("ssh-ed25519")
    (root / "out").mkdir(parents=True)
    mine = asyncssh.generate_private_key("ssh-ed25519")
    mine.write_private_key(tmp_path / "client.key")
    (tmp_path / "authorized").write_bytes(mine.export_public_key())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listener = await asyncssh.listen(
        "127.0.0.1", port, server_host_keys=[key], authorized_client_keys=str(tmp_path / "authorized"),
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(root)),
    )  # fmt: skip
    public = key.export_public_key().decode().strip()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {public}\n")
    yield Transport("sftp", options={
        "host": "127.0.0.1", "port": port, "user": "feed", "folder": "out", "key_file": str(tmp_path / "client.key"),
        "known_hosts_file": str(tmp_path / "known"),
    })  # fmt: skip
    listener.close()
    await listener.wait_closed()


async def test_files_of_an_sftp_server_are_taken_and_put_away_there(
    house: House, server: Transport, tmp_path: Path
) -> None:
    out = tmp_path / "sftp" / "out"
    (out / "a.csv").write_bytes(GOOD.replace(b"T,3", b",v9,99215,75.00\nT,4"))
    (out / "b.csv").write_bytes(GOOD[:-4])
    channel = replace(house.export, transport=server)
    assert sorted(await house.look(channel)) == ["read", "refused"]
    assert await house.kinds() == ["csv"] * 2
    assert [one.name for one in (out / "done").iterdir()] == ["a.csv"]
    rejected = sorted(one.name for one in (out / "rejected").iterdir())
    assert rejected == ["a.csv.rejected.csv", "b.csv", "b.csv.reason.txt"]
    await house.watcher._folder(channel).close()


async def test_a_server_whose_key_is_not_known_is_not_talked_to(server: Transport, tmp_path: Path) -> None:
    (tmp_path / "known").write_text("")
    folder = open_folder(server)
    with pytest.raises(Unavailable):
        await folder.files("*")
