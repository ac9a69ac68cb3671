"""A clearinghouse in memory for services that ask payers in real time."""

from __future__ import annotations

from collections.abc import Callable


class FakeClearinghouse:
    """Answers as `answer(text)` does, or raises what it is given; keeps what it was sent."""

    def __init__(self, answer: Callable[[str], str] | Exception):
        self.answer, self.sent = answer, []

    async def realtime(self, x12: str, timeout_s: float = 20.0) -> str:
        self.sent.append(x12)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(x12)
