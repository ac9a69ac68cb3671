"""The payer as the service sees it: 278 out and 278 in through the clearinghouse."""

from __future__ import annotations

from dataclasses import dataclass, replace

from clearinghouse import Clearinghouse, Trading, ask_payer
from kernel.clock import Clock
from kernel.errors import Unreadable

from prior_auth.model import Exchange, Order
from prior_auth.wire.request import read_answer, write_278


@dataclass(frozen=True, slots=True)
class ClearinghousePayer:
    """Asks over a clearinghouse. Whatever goes wrong outside is a reason in the exchange."""

    clearinghouse: Clearinghouse
    trading: Trading
    clock: Clock
    timeout_s: float

    async def ask(self, order: Order) -> Exchange:
        exchange = Exchange()
        try:
            sent = write_278(order, self.trading, self.clock.now())
            received, failure = await ask_payer(self.clearinghouse, sent, self.timeout_s)
            exchange = Exchange(sent=sent.encode(), received=received.encode(), failure=failure)
            return exchange if failure else replace(exchange, answer=read_answer(received, order))
        except Unreadable as error:
            return replace(exchange, failure=error.code)
