"""The security guide names a test for what it says; here each of those names is looked for."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
SHOWN_BY = "shown by"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
RULES = ("164.308", "164.310", "164.312", "164.314", "164.316", "164.502(b)", "42 CFR 2.")


def rows_of(page: str) -> list[dict[str, str]]:
    """The rows of every table that has a column `shown by`, each by the names of its columns."""
    found: list[dict[str, str]] = []
    header: list[str] = []
    for line in page.splitlines():
        if not line.startswith("|"):
            header = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not header:
            header = cells
        elif SHOWN_BY in header and not set(line) <= set("|- "):
            found.append(dict(zip(header, cells, strict=True)))
    return found


@cache
def found_in(file: Path) -> frozenset[str]:
    """The names of a file's test functions, those of classes included; none for a file that is not there."""
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text())
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


def problem(row: dict[str, str]) -> str:
    """What is wrong with a row; "" when each test that it names exists, or when it is the operator's and says so."""
    shown = row[SHOWN_BY]
    named = TEST.findall(shown)
    missing = [f"{file}::{name}" for file, name in named if name not in found_in(ROOT / file)]
    if missing:
        return f"no such test: {', '.join(missing)}"
    if not named and shown != "operator":
        return "names no test, and is not said to be the operator's"
    if TEST.sub("", shown).replace("<br>", "").strip() not in ("", "operator"):
        return "something beside the tests"
    return ""


ROWS = rows_of(PAGE.read_text())


def test_each_rule_of_the_security_rule_has_rows() -> None:
    text = "\n".join(row.get("rule", "") for row in ROWS)
    assert [rule for rule in RULES if rule not in text] == []
    assert len(ROWS) > 50


@pytest.mark.parametrize("row", ROWS, ids=[next(iter(row.values()))[:40] for row in ROWS])
def test_what_a_row_says_is_shown_by_a_test_or_left_to_the_operator(row: dict[str, str]) -> None:
    assert problem(row) == ""
    if "the operator does" in row and row[SHOWN_BY] == "operator":
        assert row["the operator does"], "the operator must know what is left to do"


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "somebody",
        "tests/libs/bus/test_line.py",
        "`tests/libs/bus/test_line.py::test_that_nobody_wrote`",
        "`tests/libs/bus/test_nowhere.py::test_tenants_never_meet`",
        "`tests/libs/bus/test_line.py::test_tenants_never_meet` and our word",
    ],
)
def test_a_row_without_a_test_is_seen(shown: str) -> None:
    assert problem({SHOWN_BY: shown}) != ""


def test_a_row_with_a_test_or_an_operator_passes() -> None:
    assert problem({SHOWN_BY: "`tests/libs/bus/test_line.py::test_tenants_never_meet`"}) == ""
    assert problem({SHOWN_BY: "operator"}) == ""


def test_tables_are_read_row_by_row() -> None:
    page = "| a | shown by |\n| --- | --- |\n| x | operator |\n\n| b | c |\n| --- | --- |\n| y | z |\n"
    assert rows_of(page) == [{"a": "x", SHOWN_BY: "operator"}]


def test_the_pages_that_the_guide_links_to_are_there_with_their_sections() -> None:
    for page in (PAGE, PAGE.with_name("operate.md")):
        for target in re.findall(r"\]\(([^)#\s]*(?:#[^)\s]*)?)\)", page.read_text()):
            file, _, anchor = target.partition("#")
            if "://" in file:
                continue
            to = (page.parent / file).resolve() if file else page
            assert to.exists(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors_of(to), f"{page.name}: {target}"


def anchors_of(page: Path) -> set[str]:
    """The anchors that a reader's browser makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_nothing_deletes_records_of_access() -> None:
    """Six years (45 CFR 164.316(b)(2)(i)) and longer: no statement in the code takes such a row away or changes it."""
    changing = re.compile(r"(delete\s+from|update|truncate(\s+table)?)\s+(\w+\.)?(access_event|console_access)\b", re.I)
    files = [file for file in (ROOT / "services").rglob("*.py") if "migrations" not in file.parts]
    assert len(files) > 300
    assert [str(file.relative_to(ROOT)) for file in files if changing.search(file.read_text())] == []
    assert changing.search("DELETE FROM access_event where at < $1") and changing.search("update console_access set")
