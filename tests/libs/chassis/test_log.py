"""What may be in a log line, and what never is."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from chassis.log import dropped_keys, start_logging
from kernel.errors import Refused

SECRET = "DOE^JANE"


class Lines:
    """The log of one test."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.log = start_logging("probe", "info", self.out)

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.read()[-1]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    yield Lines()
    root.handlers[:], root.level, sys.excepthook = handlers, level, hook
    logging.captureWarnings(False)
    structlog.reset_defaults()


def test_a_line_is_json_with_what_is_listed(lines: Lines) -> None:
    lines.log.info("claim submitted", journey_id="ab12", count=3, duration_ms=1.5)
    line = lines.last
    assert (line["event"], line["level"], line["service"]) == ("claim submitted", "info", "probe")
    assert (line["journey_id"], line["count"], line["duration_ms"]) == ("ab12", 3, 1.5)
    assert line["timestamp"].endswith("Z")
    assert "dropped" not in line


def test_what_is_not_listed_is_dropped_and_counted(lines: Lines) -> None:
    before = dropped_keys["patient_name"]
    lines.log.info("claim submitted", patient_name=SECRET, member_id=SECRET, count=1)
    assert SECRET not in lines.out.getvalue()
    assert lines.last["dropped"] == 2
    assert dropped_keys["patient_name"] == before + 1


def test_a_bound_key_that_is_not_listed_is_dropped_too(lines: Lines) -> None:
    lines.log.bind(mrn=SECRET).info("claim submitted")
    assert SECRET not in lines.out.getvalue()


@pytest.mark.parametrize("value", [{"name": SECRET}, (SECRET,), SECRET.encode(), Refused("a", SECRET)])
def test_a_value_that_is_not_plain_becomes_its_type(lines: Lines, value: object) -> None:
    lines.log.info("claim submitted", code=value)
    assert SECRET not in lines.out.getvalue()
    assert lines.last["code"] == type(value).__name__


def test_a_long_value_is_cut(lines: Lines) -> None:
    lines.log.info("claim submitted", code="x" * 5000)
    assert len(lines.last["code"]) == 200


def _fail(secret: str) -> None:
    local = secret
    raise ValueError(f"cannot parse {local}")


def test_an_error_is_told_by_type_and_place(lines: Lines) -> None:
    try:
        _fail(SECRET)
    except ValueError as error:
        try:
            raise Refused("code_unknown", f"no such code {SECRET}") from error
        except Refused:
            lines.log.exception("handler failed")
    line = lines.last
    assert (line["error"], line["code"], line["cause"]) == ("Refused", "code_unknown", "ValueError")
    assert any("test_log.py" in frame for frame in line["frames"])
    assert SECRET not in lines.out.getvalue()


def test_libraries_log_their_template_only(lines: Lines) -> None:
    library = logging.getLogger("somelibrary.wire")
    library.warning("cannot parse %s", SECRET)
    assert (lines.last["event"], lines.last["logger"]) == ("cannot parse %s", "somelibrary.wire")
    library.error(f"cannot parse '{SECRET}' at 19540412")
    assert lines.last["event"] == "cannot parse # at #"
    try:
        _fail(SECRET)
    except ValueError:
        library.exception("failed")
    assert lines.last["error"] == "ValueError"
    assert SECRET not in lines.out.getvalue()


def test_libraries_below_warning_are_silent(lines: Lines) -> None:
    logging.getLogger("somelibrary").info("wire %s", SECRET)
    assert lines.read() == []


def test_warnings_and_uncaught_errors_say_nothing_either(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(SECRET, UserWarning, stacklevel=1)
    try:
        _fail(SECRET)
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    assert lines.last["event"] == "uncaught error"
    logging.getLogger("asyncio").error("Task exception was never retrieved %r" % SECRET)  # noqa: UP031
    assert [line["event"] for line in lines.read()] == ["message withheld", "uncaught error", "message withheld"]
    assert SECRET not in lines.out.getvalue()
