"""Facts on the line: the flow table, the transactional outbox and inbox, and their JetStream relay and consumers.

PostgreSQL is the truth and the broker is disposable: a fact leaves in the transaction of its effect (outbox),
and is taken in within the transaction of the next effect (inbox).
"""

from bus.consumer import Consumer
from bus.event import Event
from bus.flow import FLOW, PARTITIONS, Flow, flow_of, subject_of
from bus.relay import Relay
from bus.share import Hold, Share
from bus.streams import Streams
from bus.subscription import Subscription
from bus.timers import Timer, TimerHandler, TimerRunner
from bus.trace import continue_trace, current_trace, linked_trace
from bus.unit import Database, Unit

__all__ = [
    "FLOW",
    "PARTITIONS",
    "Consumer",
    "Database",
    "Event",
    "Flow",
    "Hold",
    "Relay",
    "Share",
    "Streams",
    "Subscription",
    "Timer",
    "TimerHandler",
    "TimerRunner",
    "Unit",
    "continue_trace",
    "current_trace",
    "flow_of",
    "linked_trace",
    "subject_of",
]
