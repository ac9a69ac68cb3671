"""Marks in the web console: searched for, opened, posted in forms, asked for without a session, and sent where they are
not expected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from canary_marks import Marks, Place
from cli.stack import Stack

LISTS = ("/journeys", "/work", "/claims", "/remittances", "/denials", "/payers", "/providers", "/channels", "/messages")
ITEMS = (*LISTS, "/kpis", "/static")
FIELDS = ("text", "kind", "owner", "state", "outcome", "payer", "channel", "feed", "after", "from", "stage", "next")
ROLES = ("viewer", "biller", "admin")
UNSEEN = ("set-cookie", "date", "content-type", "content-security-policy", "location")
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class ConsoleDoor:
    """A browser in each role. Pages show patients to those who may see them, so their bodies are not looked at; what
    answers an error and what headers say is."""

    stack: Stack
    marks: Marks
    said: list[Place]
    sent: list[bytes]
    signed_in: int = 0
    pages: int = 0

    async def run(self, known: tuple[str, ...]) -> None:
        """`known` are values of canaries that pages may find something for."""
        for role in ROLES:
            async with httpx.AsyncClient(base_url=self.stack.console_url, timeout=30) as http:
                if role == ROLES[0]:
                    await self._look(http, "outside", ())
                await self._sign_in(http, role)
                await self._look(http, role, known if role == "biller" else ())
                if role == "biller":
                    await self._post(http, role)

    async def _sign_in(self, http: httpx.AsyncClient, role: str) -> None:
        for token in (self.marks.word(f"console.{role}.csrf"), ""):
            page = await http.get("/login", params={"next": f"/journeys?text={self.marks.word('console.next')}"})
            assert page.status_code == 200
            found = CSRF.search(page.text)
            assert found is not None
            name = self.marks.word(f"console.{role}.name")
            form = {
                "name": name,
                "role": role,
                "next": f"/{self.marks.word('console.next')}",
                "csrf": token or found[1],
            }
            self.sent.append(repr(form).encode())
            answer = await http.post("/login", data=form)
            self._keep(f"sign in as {role}", answer)
        self.signed_in += answer.status_code == 303

    async def _look(self, http: httpx.AsyncClient, who: str, known: tuple[str, ...]) -> None:
        for path in self._paths(who, known):
            self.sent.append(path.encode())
            answer = await http.get(path)
            self.pages += answer.status_code == 200
            self._keep(f"{who} {path.split('?')[0].split('/')[1]}", answer)

    def _paths(self, who: str, known: tuple[str, ...]) -> Iterator[str]:
        for path in LISTS:
            yield f"{path}?" + "&".join(f"{field}={self.marks.word(f'console.{field}')}" for field in FIELDS)
            yield from (f"{path}?text={value}" for value in known)
        for path in ITEMS:
            yield f"{path}/{self.marks.word(f'console.{path} item')}"
        yield f"/{self.marks.word('console.nowhere')}?q={self.marks.word('console.question')}"

    async def _post(self, http: httpx.AsyncClient, role: str) -> None:
        """Forms with a token that is none, then with a good one, to places that are there and that are not."""
        found = CSRF.search((await http.get("/")).text)
        for token in (self.marks.word("console.post csrf"), found[1] if found else "x"):
            for path in ("/work", "/claims", "/messages", "/remittances"):
                for action in ("release", "resubmit", "write-off", "replay"):
                    form = {
                        field: self.marks.word(f"console.form {field}")
                        for field in ("reason", "note", "code", "amount")
                    }
                    self.sent.append(repr(form | {"csrf": token}).encode())
                    place = f"{path}/{self.marks.word(f'console.{path} item')}/{action}"
                    self._keep(f"{role} post {path} {action}", await http.post(place, data=form | {"csrf": token}))

    def _keep(self, label: str, answer: httpx.Response) -> None:
        headers = [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() not in UNSEEN]
        self.said.append(Place("answer header", label, "\n".join(headers).encode()))
