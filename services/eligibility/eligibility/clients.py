"""The payer as the service sees it: 270 out and 271 in through the clearinghouse."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from clearinghouse import Clearinghouse
from kernel.clock import Clock
from kernel.errors import LineError, Unreadable

from eligibility.model import Exchange, Question
from eligibility.wire.inquiry import Trading, read_answer, write_270

_TIMEOUT = "timeout"
_REASONS = {"clearinghouse-timeout": _TIMEOUT}


@dataclass(frozen=True, slots=True)
class ClearinghousePayer:
    """Asks over a clearinghouse. Whatever goes wrong outside is a reason in the exchange."""

    clearinghouse: Clearinghouse
    trading: Trading
    clock: Clock
    timeout_s: float

    async def ask(self, question: Question, verification_id: str) -> Exchange:
        try:
            sent = write_270(question, verification_id, self.trading, self.clock.now())
        except Unreadable as error:
            return Exchange(verification_id=verification_id, failure=error.code)
        received, failure = await self._send(sent)
        if failure:
            return Exchange(verification_id=verification_id, sent=sent.encode(), failure=failure)
        return _read(verification_id, sent, received)

    async def _send(self, sent: str) -> tuple[str, str]:
        """The answer and an empty reason, or the other way round."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self.clearinghouse.realtime(sent, timeout_s=self.timeout_s), ""
        except TimeoutError:
            return "", _TIMEOUT
        except LineError as error:
            return "", _REASONS.get(error.code, error.code)


def _read(verification_id: str, sent: str, received: str) -> Exchange:
    heard = Exchange(verification_id=verification_id, sent=sent.encode(), received=received.encode())
    try:
        return replace(heard, answer=read_answer(received, verification_id))
    except Unreadable as error:
        return replace(heard, failure=error.code)
