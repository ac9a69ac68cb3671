"""JSON lines on stderr without patient data: listed keys only, errors by type and place, libraries by template.

A line is {"timestamp", "level", "event", "service", ...}. `event` is a fixed sentence of ours, never built from input.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from kernel.errors import LineError
from opentelemetry import trace
from structlog.typing import FilteringBoundLogger

ALLOWED_KEYS = frozenset(
    {
        "event", "level", "timestamp", "logger", "service", "tenant", "journey_id", "trace_id", "span_id",
        "event_type", "event_id", "stage", "state", "outcome", "code", "kind", "task", "attempt", "attempts",
        "retry_in_s", "count", "duration_ms", "size_bytes", "grpc", "http", "port", "pid", "method", "status",
        "revision", "expected_revision", "rule_id", "edit_id", "row", "line", "file", "feed", "channel", "transaction",
        "payer_class", "carc", "category", "cursor", "element_path", "position", "error", "cause", "frames", "schema",
        "version", "age_s", "reason_code", "partition", "stream", "signal", "setting", "dropped",
    }
)  # fmt: skip
LONGEST_VALUE = 200
DEEPEST_TRACEBACK = 15
REPEAT_AFTER_S = 60.0
MOST_MESSAGES = 1_000
# What a template of a library might still have been built from: anything quoted, and long numbers.
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|<[^>]*>|\d{4,}")

# These build their messages before they log them, out of whatever they have at hand.
NO_TEMPLATE = frozenset({"asyncio", "py.warnings"})

dropped_keys: Counter[str] = Counter()


def frames_of(error: BaseException) -> list[str]:
    """The places that an error went through, innermost last: file, line and function. No texts, no variables."""
    summary = traceback.extract_tb(error.__traceback__)[-DEEPEST_TRACEBACK:]
    return [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in summary]


def describe_error(error: BaseException) -> dict[str, Any]:
    """Type, our own code where it is one of ours, the types of its causes, and the places."""
    described: dict[str, Any] = {"error": type(error).__name__, "frames": frames_of(error)}
    if isinstance(error, LineError):
        described["code"] = error.code
    cause = error.__cause__ or error.__context__
    if cause is not None:
        described["cause"] = type(cause).__name__
    return described


def _as_error(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


Line = MutableMapping[str, Any]


def describe_errors(_logger: Any, _method: str, line: Line) -> Line:
    """Replace exc_info by what may be said of the error."""
    error = _as_error(line.pop("exc_info", None))
    if error is not None:
        line.update(describe_error(error))
    return line


def name_the_trace(_logger: Any, _method: str, line: Line) -> Line:
    """So that a line leads to its trace and back."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = trace.format_trace_id(context.trace_id)
        line["span_id"] = trace.format_span_id(context.span_id)
    return line


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_VALUE]
    if isinstance(value, list):
        return [_plain(item) for item in value[:DEEPEST_TRACEBACK]]
    return value if value is None or isinstance(value, bool | int | float) else type(value).__name__


def keep_allowed(_logger: Any, _method: str, line: Line) -> Line:
    """Drop what is not listed and say how much that was; a value that is no plain one becomes the name of its type."""
    unknown = [key for key in line if key not in ALLOWED_KEYS]
    dropped_keys.update(unknown)
    kept: Line = {key: _plain(value) for key, value in line.items() if key in ALLOWED_KEYS}
    if unknown:
        kept["dropped"] = len(unknown)
    return kept


class Repeats:
    """Lets the same message of a library through once in a while, and says how many there have been meanwhile.

    A collector or a broker that is away would fill the log with one sentence otherwise.
    """

    def __init__(self, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._seen: dict[tuple[str, str, str], tuple[float, int]] = {}

    def count(self, key: tuple[str, str, str]) -> int:
        """How often it came since it was let through, this one included; 0 to keep quiet."""
        if len(self._seen) >= MOST_MESSAGES:
            self._seen.clear()
        now = self._clock()
        let_through_at, held_back = self._seen.get(key, (float("-inf"), 0))
        if now - let_through_at < self._every_s:
            self._seen[key] = (let_through_at, held_back + 1)
            return 0
        self._seen[key] = (now, 0)
        return held_back + 1


class TemplateHandler(logging.Handler):
    """Takes what libraries log through the standard library: their template, never what was to be put into it."""

    def __init__(self, repeats: Repeats | None = None) -> None:
        super().__init__()
        self._repeats = repeats or Repeats(REPEAT_AFTER_S)

    def emit(self, record: logging.LogRecord) -> None:
        known = isinstance(record.msg, str) and record.name not in NO_TEMPLATE
        template = record.msg if known else "message withheld"
        first_line = template.strip().split("\n", 1)[0]
        error = _as_error(record.exc_info)
        count = self._repeats.count((record.name, first_line, type(error).__name__))
        if count:
            logger = structlog.get_logger().bind(logger=record.name, **({"count": count} if count > 1 else {}))
            logger.log(record.levelno, _QUOTED.sub("#", first_line), exc_info=record.exc_info)


def _log_uncaught(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    structlog.get_logger().critical("uncaught error", exc_info=error)


def start_logging(service: str, level: str = "info", out: TextIO | None = None) -> FilteringBoundLogger:
    """Set up logging for this process and return the service's logger. `out` is stderr where none is given."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            name_the_trace,
            describe_errors,
            keep_allowed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(out or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[TemplateHandler()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    logger: FilteringBoundLogger = structlog.get_logger().bind(service=service)
    return logger
