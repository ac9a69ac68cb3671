"""The payer as the service sees it: 270 out and 271 in through the clearinghouse."""

from __future__ import annotations

from dataclasses import dataclass, replace

from clearinghouse import Clearinghouse, Trading, ask_payer
from kernel.clock import Clock
from kernel.errors import Unreadable

from eligibility.model import Exchange, Question
from eligibility.wire.inquiry import read_answer, write_270


@dataclass(frozen=True, slots=True)
class ClearinghousePayer:
    """Asks over a clearinghouse. Whatever goes wrong outside is a reason in the exchange."""

    clearinghouse: Clearinghouse
    trading: Trading
    clock: Clock
    timeout_s: float

    async def ask(self, question: Question, verification_id: str) -> Exchange:
        exchange = Exchange(verification_id=verification_id)
        try:
            sent = write_270(question, verification_id, self.trading, self.clock.now())
            received, failure = await ask_payer(self.clearinghouse, sent, self.timeout_s)
            exchange = replace(exchange, sent=sent.encode(), received=received.encode(), failure=failure)
            return exchange if failure else replace(exchange, answer=read_answer(received, verification_id))
        except Unreadable as error:
            return replace(exchange, failure=error.code)
