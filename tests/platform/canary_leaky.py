"""A process that does everything wrong with a mark: in spans, logs, metrics and errors. Run with the mark as input.

What leaves it in spite of that is looked at by the test; `kept` names are those that must leave.
"""

from __future__ import annotations

import logging
import sys
import warnings

import structlog
from chassis.log import start_logging
from chassis.settings import ServiceSettings, load_settings
from chassis.telemetry import Telemetry, start_telemetry
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, Tracer, TraceState

KEPT_ATTRIBUTE, KEPT_SPAN, KEPT_EVENT = "rcm.stage", "kept span", "kept log line"
KEPT_METRIC = "rcm.journey.ended"
FORBIDDEN = (
    "patient.name", "url.full", "url.query", "http.target", "http.url", "db.statement", "db.query.text",
    "db.query.parameter.0", "messaging.message.id", "messaging.destination.name", "exception.message", "user.id",
    "client.address", "user_agent.original", "http.request.header.x", "rpc.grpc.request.metadata.x", "enduser.id",
)  # fmt: skip


def leak_spans(tracer: Tracer, mark: str) -> None:
    state = TraceState([("x", mark.lower())])
    link = Link(SpanContext(7, 7, True, TraceFlags(1), state), {"patient.name": mark})
    with tracer.start_as_current_span(KEPT_SPAN, attributes={KEPT_ATTRIBUTE: "coding"}, links=[link]) as span:
        for name in FORBIDDEN:
            span.set_attribute(name, mark)
        span.set_attribute("rcm.carc", [mark, mark])
        span.set_attribute("rcm.reason", mark * 50)
        span.add_event("seen", {"patient.name": mark})
        span.add_event(f"seen <{mark}>")
        span.record_exception(ValueError(mark), {"exception.message": mark})
        span.set_status(Status(StatusCode.ERROR, mark))
    with tracer.start_as_current_span(f"GET /fhir/Patient?name={mark}"):
        span.update_name(f"after its end {mark}")


def leak_lasting(telemetry: Telemetry, mark: str) -> None:
    """As `leak_spans`, for spans that no tracer starts."""
    context = SpanContext(7, 7, False, TraceFlags(TraceFlags.SAMPLED), TraceState([("x", mark.lower())]))
    about = dict.fromkeys(FORBIDDEN, mark) | {KEPT_ATTRIBUTE: "coding", "rcm.reason": mark * 50}
    times = {"start_time": 1, "end_time": 2}
    for name in (KEPT_SPAN, f"GET /fhir/Patient?name={mark}"):
        events, links = [Event(f"seen <{mark}>", {"patient.name": mark})], [Link(context, {"patient.name": mark})]
        status = Status(StatusCode.ERROR, mark)
        span = ReadableSpan(name, context, attributes=about, events=events, links=links, status=status, **times)
        telemetry.lasting.send([span])


def leak_logs(mark: str) -> None:
    ours, theirs = structlog.get_logger(), logging.getLogger("a.library")
    ours.warning(KEPT_EVENT, patient=mark, name=mark, body=mark, stage="coding")
    ours.warning("an object", error=ValueError(mark))
    theirs.warning("could not read %s of %r", mark, {"name": mark})
    theirs.warning("could not read '" + mark + "'")
    logging.getLogger("asyncio").error(f"Task <{mark}> was destroyed")
    warnings.warn(mark, stacklevel=1)
    try:
        raise ValueError(mark) from KeyError(mark)
    except ValueError as error:
        ours.error("it failed", exc_info=error)
        theirs.exception("it failed with %s", mark)


def leak_metrics(telemetry: Telemetry, mark: str) -> None:
    meter = telemetry.meter("leaky")
    meter.create_counter(KEPT_METRIC).add(1, {"rcm.outcome": "paid", "patient.name": mark})
    meter.create_counter(KEPT_METRIC).add(1, {"rcm.outcome": f"<{mark}> & more"})
    meter.create_counter(f"rcm.{mark}").add(1)
    meter.create_histogram("rcm.stage.duration", "s").record(1, {"rcm.stage": "coding", "url.full": mark})


def main() -> None:
    mark = sys.stdin.read().strip()
    start_logging("leaky")
    telemetry = start_telemetry("leaky", load_settings(ServiceSettings))
    leak_spans(telemetry.tracer("leaky"), mark)
    leak_lasting(telemetry, mark)
    leak_logs(mark)
    leak_metrics(telemetry, mark)
    telemetry.shutdown()
    raise ValueError(mark)  # what nobody catches is logged, too


if __name__ == "__main__":
    main()
