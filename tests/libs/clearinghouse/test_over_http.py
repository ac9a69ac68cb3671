"""The HTTP client keeps to the mailbox protocol, and every status and broken answer becomes one of our errors."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from clearinghouse import Clearinghouse, DirectoryClearinghouse, HttpClearinghouse, MailFile, open_clearinghouse
from kernel.errors import LineError, Refused, Unavailable, Unreadable

Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer, token: str = "") -> Clearinghouse:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return open_clearinghouse("http://mailbox.example/base/", "OURS/1", http, token)


def mail(*entries: object) -> Answer:
    return lambda _: httpx.Response(200, json={"files": list(entries), "cursor": 99})


async def test_a_realtime_question_is_posted_as_x12_with_the_token() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"ISA*271~")

    assert await client(answer, token="secret").realtime("ISA*270~") == "ISA*271~"
    assert (seen[0].method, seen[0].url.path, seen[0].content) == ("POST", "/base/x12/realtime", b"ISA*270~")
    assert seen[0].headers["content-type"] == "application/edi-x12"
    assert seen[0].headers["authorization"] == "Bearer secret"


async def test_without_a_token_no_authorization_header_is_sent() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert "authorization" not in request.headers
        return httpx.Response(202, json={"id": "f1"})

    assert await client(answer).send_batch("ISA*837~", "batch-1") == "f1"


async def test_a_batch_goes_to_the_submitters_box() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.raw_path == b"/base/x12/batch/OURS%2F1"
        return httpx.Response(202, json={"id": "f1"})

    assert await client(answer).send_batch("ISA*837~", "batch-1") == "f1"


async def test_files_are_listed_oldest_first_and_only_after_the_cursor() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert dict(request.url.params) == {"kinds": "999,TA1", "after": "4", "limit": "10"}
        listed = [{"id": "c", "kind": "TA1", "cursor": 9}, {"id": "a", "kind": "999", "cursor": 4}]
        return httpx.Response(200, json={"files": [*listed, {"id": "b", "kind": "999", "cursor": 5}], "cursor": 9})

    found = await client(answer).list_files(["999", "TA1"], after=4, limit=10)
    assert found == [MailFile("b", "999", 5), MailFile("c", "TA1", 9)]


async def test_a_file_is_fetched_byte_for_byte() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.raw_path == b"/base/x12/mailbox/OURS%2F1/a%2Fb"
        return httpx.Response(200, content=b"\xff\x00")

    assert await client(answer).fetch("a/b") == b"\xff\x00"


@pytest.mark.parametrize(
    ("status", "family", "code"),
    [
        (500, Unavailable, "clearinghouse-unavailable"),
        (503, Unavailable, "clearinghouse-unavailable"),
        (401, Unavailable, "clearinghouse-unavailable"),
        (429, Unavailable, "clearinghouse-unavailable"),
        (400, Refused, "clearinghouse-refused"),
        (413, Refused, "clearinghouse-refused"),
        (404, Refused, "clearinghouse-not-found"),
    ],
)
async def test_every_status_has_its_error(status: int, family: type[LineError], code: str) -> None:
    box = client(lambda _: httpx.Response(status, content=b"SMITH*DOE"))
    with pytest.raises(family) as raised:
        await box.realtime("ISA~")
    assert raised.value.code == code
    assert "SMITH" not in str(raised.value)


@pytest.mark.parametrize(("header", "wait"), [("7", 7.0), ("soon", None), ("", None)])
async def test_the_asked_wait_is_passed_on(header: str, wait: float | None) -> None:
    with pytest.raises(Unavailable) as raised:
        await client(lambda _: httpx.Response(503, headers={"retry-after": header})).fetch("a")
    assert raised.value.retry_after_s == wait


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (httpx.ReadTimeout("x"), "clearinghouse-timeout"),
        (httpx.ConnectError("x"), "clearinghouse-unreachable"),
        (httpx.RemoteProtocolError("x"), "clearinghouse-unreachable"),
    ],
)
async def test_a_broken_line_is_unavailable(trouble: Exception, code: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise trouble

    with pytest.raises(Unavailable) as raised:
        await client(answer).send_batch("ISA~", "b")
    assert raised.value.code == code


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b"not json"),
        httpx.Response(200, content=b"[]"),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"files": [3]}),
        httpx.Response(200, json={"files": [{"id": "a", "kind": "999"}]}),
        httpx.Response(200, json={"files": [{"id": "a", "kind": "999", "cursor": True}]}),
        httpx.Response(200, json={"files": [{"id": 1, "kind": "999", "cursor": 2}]}),
    ],
)
async def test_a_broken_listing_is_unreadable(answer: httpx.Response) -> None:
    with pytest.raises(Unreadable):
        await client(lambda _: answer).list_files(["999"], after=0)


async def test_an_answer_that_is_not_text_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        await client(lambda _: httpx.Response(200, content=b"\xff\xfe")).realtime("ISA~")


async def test_an_empty_box_lists_nothing() -> None:
    assert await client(mail()).list_files(["999"], after=0) == []


def test_the_address_chooses_the_transport() -> None:
    http = httpx.AsyncClient()
    assert isinstance(open_clearinghouse("https://host", "S", http), HttpClearinghouse)
    assert isinstance(open_clearinghouse("file:///drop", "S"), DirectoryClearinghouse)


@pytest.mark.parametrize("url", ["", "ftp://host", "https://", "file://host/path", "drop/folder"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="clearinghouse address"):
        open_clearinghouse(url, "S", httpx.AsyncClient())


def test_http_without_a_client_is_refused() -> None:
    with pytest.raises(ValueError, match="clearinghouse address"):
        open_clearinghouse("https://host", "S")
