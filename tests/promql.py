"""Which metrics and labels a PromQL expression names, as far as tests of rules and dashboards need to know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

WORDS = frozenset(
    {"and", "or", "unless", "offset", "bool", "by", "without", "on", "ignoring", "group_left", "group_right"}
)
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\})?")
_MATCHER = re.compile(r'([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_LABEL_VALUES = re.compile(r"label_values\((\w+),\s*(\w+)\)")


@dataclass(frozen=True, slots=True)
class Selector:
    """One metric in an expression, with the labels that it is chosen by and the values of those that are fixed."""

    metric: str
    matchers: tuple[tuple[str, str], ...]


def selectors_of(expression: str) -> Iterator[Selector]:
    """Every metric that the expression reads. Functions, numbers and words of the language are left out."""
    bare = _GROUPING.sub(" ", _RANGE.sub(" ", expression))
    for found in _SELECTOR.finditer(_hide_braces_in_texts(bare)):
        name, matchers = found.group(1), found.group(2) or ""
        behind = bare[found.end() :].lstrip()
        before = bare[: found.start()]
        if name in WORDS or behind.startswith("(") or (before and (before[-1].isdigit() or before[-1] == ".")):
            continue
        yield Selector(name, tuple(_MATCHER.findall(_restore(matchers))))


def grouping_labels(expression: str) -> set[str]:
    """The labels in by(), on() and the like."""
    found = (part.strip() for labels in _GROUPING.findall(expression) for part in labels.split(","))
    return {label for label in found if label}


def variable_of(query: str) -> tuple[str, str]:
    """The metric and label of a dashboard's label_values(metric, label)."""
    found = _LABEL_VALUES.fullmatch(query)
    assert found is not None, query
    return found.group(1), found.group(2)


def _hide_braces_in_texts(expression: str) -> str:
    """The same length, with texts in quotes free of braces and of anything that looks like a metric."""
    return _TEXT.sub(lambda text: text.group().replace("{", "\x01").replace("}", "\x02"), expression)


def _restore(matchers: str) -> str:
    return matchers.replace("\x01", "{").replace("\x02", "}")
