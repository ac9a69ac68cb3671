"""Rule rows: what they answer, where they must stay silent, and how bad rows are refused."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from kernel.rules import OPERATORS, RuleError, check_cases, evaluate, load_cases, load_rules

ROW = """
[[rule]]
id = "imaging"
payer = "{payer}"
applies = [{condition}]
effective_from = 2026-01-01
effective_to = 2026-12-31
outcome = {{ required = true }}
because = "The payer asks for it."
source = "https://payer.example/policy"
"""
DAY = date(2026, 6, 1)


def _hits(condition: str, facts: dict[str, object], payer: str = "*", on: date = DAY) -> list[str]:
    rules = load_rules(ROW.format(condition=condition, payer=payer), "rules.toml")
    return [hit.rule_id for hit in evaluate(rules, facts, on)]


OPERATOR_CASES = [
    # op, value in TOML, facts that hit, facts that do not
    ("eq", '"a"', ["a", ["b", "a"]], ["b", ["b"], [], None, ""]),
    ("eq", "true", [True], [False]),
    ("eq", "3", [3, Decimal("3.0")], [4]),
    ("ne", '"a"', ["b", ["b", "c"]], ["a", ["b", "a"], None, []]),
    ("in", '["a", "b"]', ["a", ["c", "b"]], ["c", ["c"], None]),
    ("not_in", '["a", "b"]', ["c", ["c", "d"]], ["a", ["c", "a"], None]),
    ("prefix", '"70"', ["70551", ["99213", "70551"]], ["97055", None]),
    ("prefix", '["70", "71"]', ["71045"], ["72100"]),
    ("between", "[2, 4]", [2, 3, 4], [1, 5, None]),
    ("between", "[2026-01-02, 2026-01-03]", [date(2026, 1, 2)], [date(2026, 1, 4)]),
    ("lt", "3", [2], [3, 4, None]),
    ("le", "3", [3], [4]),
    ("gt", "3", [4, [1, 4]], [3]),
    ("ge", "3", [3], [2]),
    ("present", None, ["a", 0, False, ["a"]], [None, "", [], [None]]),
    ("absent", None, [None, "", []], ["a", 0, False]),
]


@pytest.mark.parametrize(("op", "value", "hitting", "silent"), OPERATOR_CASES)
def test_operators(op: str, value: str | None, hitting: list[object], silent: list[object]) -> None:
    condition = f'{{field = "f", op = "{op}"' + (f", value = {value}}}" if value else "}")
    for fact in hitting:
        assert _hits(condition, {"f": fact}) == ["imaging"], fact
    for fact in silent:
        assert _hits(condition, {"f": fact}) == [], fact


def test_the_operator_cases_cover_the_closed_set() -> None:
    assert {case[0] for case in OPERATOR_CASES} == OPERATORS


@pytest.mark.parametrize("op", sorted(OPERATORS - {"absent", "present"}))
def test_a_missing_fact_satisfies_no_comparison(op: str) -> None:
    value = next(case[1] for case in OPERATOR_CASES if case[0] == op)
    assert _hits(f'{{field = "f", op = "{op}", value = {value}}}', {}) == []


def test_all_conditions_must_hold_and_none_means_always() -> None:
    both = '{field = "a", op = "eq", value = 1}, {field = "b", op = "eq", value = 2}'
    assert _hits(both, {"a": 1, "b": 2}) == ["imaging"]
    assert _hits(both, {"a": 1, "b": 3}) == []
    assert _hits("", {}) == ["imaging"]


def test_payer_selects_rows() -> None:
    assert _hits("", {"payer": "P1"}, payer="P1") == ["imaging"]
    assert _hits("", {"payer": "P2"}, payer="P1") == []
    assert _hits("", {}, payer="P1") == []
    assert _hits("", {"payer": "P2"}) == ["imaging"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2025-12-31", []), ("2026-01-01", ["imaging"]), ("2026-12-31", ["imaging"]), ("2027-01-01", [])],
)
def test_effective_days(day: str, expected: list[str]) -> None:
    assert _hits("", {}, on=date.fromisoformat(day)) == expected


def test_a_hit_explains_itself() -> None:
    (hit,) = evaluate(load_rules(ROW.format(condition="", payer="*"), "rules.toml"), {}, DAY)
    assert hit.outcome == {"required": True}
    assert hit.because == "The payer asks for it."
    assert hit.source == "https://payer.example/policy"


@pytest.mark.parametrize(
    ("value", "fact"),
    [('"3"', 3), ("3", "3"), ("3", True), ("true", 1), ("2026-01-01", datetime(2026, 1, 1))],  # noqa: DTZ001
)
def test_unlike_types_are_an_error_and_name_no_value(value: str, fact: object) -> None:
    with pytest.raises(RuleError) as caught:
        _hits(f'{{field = "f", op = "eq", value = {value}}}', {"f": fact})
    assert (caught.value.row, caught.value.line) == ("imaging", 2)
    assert "field f" in caught.value.reason


GOOD_CONDITION = '{field = "f", op = "eq", value = 1}'


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ('id = "imaging"', "", "missing id"),
        ("because =", "why =", "missing because"),
        ('source = "https', 'extra = 1\nsource = "https', "unknown extra"),
        ('payer = "*"', "payer = 1", "payer must be text"),
        ("2026-01-01", '"2026-01-01"', "effective_from must be a day"),
        ("2026-01-01", "2026-01-01T00:00:00Z", "effective_from must be a day"),
        ("2026-12-31", "2025-12-31", "ends before"),
        ("{ required = true }", "true", "outcome must be a table"),
        ("{ required = true }", "{}", "outcome must be a table"),
        ("{ required = true }", "{ rate = [{ x = 1.5 }] }", "float"),
        ("{ required = true }", "{ other = true }", "unknown outcome other"),
        (f"[{GOOD_CONDITION}]", GOOD_CONDITION, "applies must be a list"),
        (GOOD_CONDITION, "1", "a condition has"),
        (GOOD_CONDITION, '{field = "f"}', "a condition has"),
        (GOOD_CONDITION, '{field = "g", op = "eq", value = 1}', "unknown field g"),
        (GOOD_CONDITION, '{field = "f", op = "like", value = 1}', "unknown operator like"),
        (GOOD_CONDITION, '{field = "f", op = "eq", value = 1, not = true}', "unknown not"),
        (GOOD_CONDITION, '{field = "f", op = "eq"}', "eq takes"),
        (GOOD_CONDITION, '{field = "f", op = "eq", value = 1.5}', "eq takes"),
        (GOOD_CONDITION, '{field = "f", op = "in", value = 1}', "in takes a list"),
        (GOOD_CONDITION, '{field = "f", op = "in", value = []}', "in takes a list"),
        (GOOD_CONDITION, '{field = "f", op = "in", value = [1, "a"]}', "all of one kind"),
        (GOOD_CONDITION, '{field = "f", op = "between", value = [1]}', "two bounds"),
        (GOOD_CONDITION, '{field = "f", op = "between", value = [2, 1]}', "wrong way round"),
        (GOOD_CONDITION, '{field = "f", op = "lt", value = true}', "needs an order"),
        (GOOD_CONDITION, '{field = "f", op = "prefix", value = 7}', "prefix takes text"),
        (GOOD_CONDITION, '{field = "f", op = "prefix", value = [""]}', "prefix takes text"),
        (GOOD_CONDITION, '{field = "f", op = "absent", value = 1}', "absent takes no value"),
    ],
)
def test_bad_rows_are_refused_with_file_line_and_reason(good: str, bad: str, reason: str) -> None:
    text = ROW.format(condition=GOOD_CONDITION, payer="*")
    load_rules(text, "rules.toml", fields={"f"}, outcomes={"required"})
    assert good in text
    with pytest.raises(RuleError) as caught:
        load_rules(text.replace(good, bad), "rules.toml", fields={"f"}, outcomes={"required", "rate"})
    assert reason in caught.value.reason
    assert caught.value.reason.startswith("rules.toml:2, row ")


def test_one_bad_row_refuses_the_whole_text_and_is_named() -> None:
    good = ROW.format(condition="", payer="*")
    with pytest.raises(RuleError) as caught:
        load_rules(good + good.replace('"imaging"', '"second"').replace("because", "why"), "rules.toml")
    assert (caught.value.row, caught.value.line) == ("second", 12)


def test_an_id_may_have_versions_but_not_on_the_same_day() -> None:
    first = ROW.format(condition="", payer="*")
    later = first.replace("2026-", "2027-")
    assert [rule.id for rule in load_rules(first + later, "rules.toml")] == ["imaging", "imaging"]
    with pytest.raises(RuleError, match="twice"):
        load_rules(first + first, "rules.toml")


@pytest.mark.parametrize("text", ["[[rule]", "rule = 1", "[other]\na = 1", "[[rules]]\nid = 'x'"])
def test_text_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        load_rules(text, "rules.toml")


CASES = """
[[case]]
name = "hit"
on = 2026-06-01
given = { f = 1 }
expected = ["imaging"]

[[case]]
name = "silent"
on = 2026-06-01
given = { f = 2 }
expected = []
"""


def test_cases_prove_every_rule() -> None:
    rules = load_rules(ROW.format(condition=GOOD_CONDITION, payer="*"), "rules.toml")
    assert check_cases(rules, load_cases(CASES, "cases.toml")) == []
    assert check_cases(rules, load_cases(CASES.replace("f = 1", "f = 2"), "cases.toml")) == [
        "case hit: expected ['imaging'], got []",
        "rule imaging: no case hits it",
    ]
    assert check_cases(rules, ()) == ["rule imaging: no case hits it"]


@pytest.mark.parametrize(
    ("good", "bad"),
    [("on = 2026-06-01", 'on = "today"'), ('expected = ["imaging"]', "expected = [1]"), ("given", "give")],
)
def test_bad_cases_are_refused(good: str, bad: str) -> None:
    with pytest.raises(RuleError) as caught:
        load_cases(CASES.replace(good, bad, 1), "cases.toml")
    assert (caught.value.row, caught.value.line) == ("hit", 2)
