"""The directory drop: whole files only, the same ids as over HTTP, and no way out of the folder."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from clearinghouse import DirectoryClearinghouse, MailFile
from kernel.errors import Refused, Unavailable, Unreadable


def put(folder: Path, name: str, content: bytes = b"ISA~") -> None:
    path = folder / "out" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def test_a_batch_appears_whole_and_alone(tmp_path: Path) -> None:
    await DirectoryClearinghouse(tmp_path).send_batch("ISA*837~", "b-1")
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["b-1.837"]
    assert (tmp_path / "in" / "b-1.837").read_bytes() == b"ISA*837~"


async def test_the_same_bytes_have_the_same_id_and_others_another(tmp_path: Path) -> None:
    box = DirectoryClearinghouse(tmp_path)
    first = await box.send_batch("ISA*837~", "b-1")
    assert await box.send_batch("ISA*837~", "b-1") == first
    assert await box.send_batch("ISA*838~", "b-2") != first


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b"])
async def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused):
        await DirectoryClearinghouse(tmp_path).send_batch("ISA~", name)
    assert not (tmp_path / "in").exists()


async def test_files_are_listed_oldest_first_after_the_cursor_and_of_the_kinds_asked(tmp_path: Path) -> None:
    for name in (
        "999/000000000007-b.x12",
        "TA1/000000000005-a.x12",
        "999/000000000004-z.x12",
        "835/000000000009-p.x12",
    ):
        put(tmp_path, name)
    put(tmp_path, "999/.000000000008-half.x12")
    put(tmp_path, "999/readme.txt")
    found = await DirectoryClearinghouse(tmp_path).list_files(["999", "TA1", "277CA"], after=4)
    assert found == [MailFile("TA1/000000000005-a", "TA1", 5), MailFile("999/000000000007-b", "999", 7)]


async def test_a_listing_stops_at_its_limit(tmp_path: Path) -> None:
    for cursor in range(5):
        put(tmp_path, f"999/{cursor:012}-x.x12")
    found = await DirectoryClearinghouse(tmp_path).list_files(["999"], after=0, limit=2)
    assert [file.cursor for file in found] == [1, 2]


async def test_a_listed_file_is_fetched_byte_for_byte(tmp_path: Path) -> None:
    put(tmp_path, "CCD/000000000001-d.x12", b"101 \xff")
    box = DirectoryClearinghouse(tmp_path)
    [file] = await box.list_files(["CCD"], after=0)
    assert await box.fetch(file.id) == b"101 \xff"


@pytest.mark.parametrize("id", ["999/000000000001-none", "../in/000000000001-x", "999/../../secret", ""])
async def test_what_is_not_in_the_box_is_not_found(tmp_path: Path, id: str) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(Refused) as raised:
        await DirectoryClearinghouse(tmp_path).fetch(id)
    assert raised.value.kind == "not_found"


async def test_a_mount_that_is_away_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await DirectoryClearinghouse(tmp_path / "away").list_files(["999"], after=0)


async def test_an_unwritable_drop_is_unavailable_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("a file where the folder should be")
    with pytest.raises(Unavailable):
        await DirectoryClearinghouse(tmp_path).send_batch("ISA~", "b")
    assert os.listdir(tmp_path) == ["in"]


def wait_for_question(folder: Path) -> Path:
    while True:
        if asked := list(folder.glob("*.rt")):
            return asked[0]
        time.sleep(0.01)


async def answer_questions(folder: Path, content: bytes) -> None:
    asked = await asyncio.to_thread(wait_for_question, folder / "in")
    put(folder, f"realtime/{asked.stem}.x12", content)


async def test_a_realtime_question_gets_the_answer_of_its_own_name(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(answer_questions(tmp_path, b"ISA*271~"))
        asked = tasks.create_task(DirectoryClearinghouse(tmp_path).realtime("ISA*270~", timeout_s=10))
    assert asked.result() == "ISA*271~"


async def test_an_answer_that_is_not_text_is_unreadable(tmp_path: Path) -> None:
    answering = asyncio.create_task(answer_questions(tmp_path, b"\xff"))
    with pytest.raises(Unreadable):
        await DirectoryClearinghouse(tmp_path).realtime("ISA*270~", timeout_s=10)
    await answering


async def test_no_answer_is_unavailable_and_the_question_is_withdrawn(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as raised:
        await DirectoryClearinghouse(tmp_path).realtime("ISA*270~", timeout_s=0.05)
    assert raised.value.code == "clearinghouse-timeout"
    assert list((tmp_path / "in").iterdir()) == []
