"""The payer as the service sees it: 278 out and 278 in through the clearinghouse."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from clearinghouse import Clearinghouse
from kernel.clock import Clock
from kernel.errors import LineError, Unreadable

from prior_auth.model import Exchange, Order
from prior_auth.wire.request import Trading, read_answer, write_278

_TIMEOUT = "timeout"
_REASONS = {"clearinghouse-timeout": _TIMEOUT}


@dataclass(frozen=True, slots=True)
class ClearinghousePayer:
    """Asks over a clearinghouse. Whatever goes wrong outside is a reason in the exchange."""

    clearinghouse: Clearinghouse
    trading: Trading
    clock: Clock
    timeout_s: float

    async def ask(self, order: Order) -> Exchange:
        try:
            sent = write_278(order, self.trading, self.clock.now())
        except Unreadable as error:
            return Exchange(failure=error.code)
        received, failure = await self._send(sent)
        if failure:
            return Exchange(sent=sent.encode(), failure=failure)
        return _read(order, sent, received)

    async def _send(self, sent: str) -> tuple[str, str]:
        """The answer and an empty reason, or the other way round."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self.clearinghouse.realtime(sent, timeout_s=self.timeout_s), ""
        except TimeoutError:
            return "", _TIMEOUT
        except LineError as error:
            return "", _REASONS.get(error.code, error.code)


def _read(order: Order, sent: str, received: str) -> Exchange:
    heard = Exchange(sent=sent.encode(), received=received.encode())
    try:
        return replace(heard, answer=read_answer(received, order))
    except Unreadable as error:
        return replace(heard, failure=error.code)
