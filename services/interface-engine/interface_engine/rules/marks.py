"""YAML with the line of every node, so that whatever is wrong in a channel file can be refused where it stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml
from kernel.rules import RuleError


def wrong(file: str, line: int | None, reason: str) -> RuleError:
    """The refusal of a file: its name, the line when known, and why."""
    return RuleError(file, "-" if line is None else f"at line {line}", reason, line)


@dataclass(frozen=True, slots=True)
class Mark:
    """One node: `value` is a dict of marks, a list of marks, or a scalar; `raw` a scalar as it was written."""

    file: str
    line: int
    value: Any
    raw: str = ""

    def fail(self, reason: str) -> NoReturn:
        raise wrong(self.file, self.line, reason)

    def mapping(self, known: Collection[str] | None = None, needed: Collection[str] = ()) -> dict[str, Mark]:
        """The node as a mapping with known keys only; RuleError at the key's own line."""
        if not isinstance(self.value, dict):
            self.fail(f"a mapping with {', '.join(known)} is needed" if known else "a mapping is needed")
        for key, child in self.value.items():
            if known is not None and key not in known:
                child.fail(f"unknown key {key}: there are {', '.join(known)}")
        for key in needed:
            if key not in self.value:
                self.fail(f"{key} is missing")
        return dict(self.value)

    def items(self) -> list[Mark]:
        """The nodes of a list; a single node is a list of one."""
        return self.value if isinstance(self.value, list) else [self]

    @property
    def is_scalar(self) -> bool:
        return not isinstance(self.value, dict | list) and self.value is not None

    def text(self) -> str:
        if not self.is_scalar or not self.raw:
            self.fail("a text is needed")
        return self.raw

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def choice(self, options: Collection[str]) -> str:
        if self.text() not in options:
            self.fail(f"not one of {', '.join(sorted(options))}")
        return self.raw

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.fail("true or false is needed")
        return self.value

    def whole(self, least: int = 0) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < least:
            self.fail(f"a whole number from {least} is needed")
        return self.value


def read_marks(file: Path) -> Mark:
    """The document of a YAML file. RuleError with file and line for anything that is no YAML, or no mapping."""
    try:
        text = file.read_text(encoding="utf-8")
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
    except UnicodeDecodeError as error:
        raise wrong(file.name, None, "not UTF-8") from error
    except OSError as error:
        raise wrong(file.name, None, f"cannot be read ({type(error).__name__})") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise wrong(file.name, line, f"not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise wrong(file.name, None, "not YAML: characters that YAML does not know") from error
    if not isinstance(node, yaml.MappingNode):
        raise wrong(file.name, 1, "the document is a mapping")
    return _mark(file.name, node, loader)


def _mark(file: str, node: yaml.Node, loader: yaml.SafeLoader) -> Mark:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Mark] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise wrong(file, key.start_mark.line + 1, "a key is a text")
            if key.value in found:
                raise wrong(file, key.start_mark.line + 1, f"the key {key.value} twice")
            child = _mark(file, value, loader)
            found[key.value] = Mark(file, key.start_mark.line + 1, child.value, child.raw)
        return Mark(file, line, found)
    if isinstance(node, yaml.SequenceNode):
        return Mark(file, line, [_mark(file, item, loader) for item in node.value])
    try:
        value = loader.construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise wrong(file, line, "a value that YAML does not know") from error
    return Mark(file, line, value, str(node.value))


def plain(mark: Mark) -> Any:
    """The node without its lines."""
    if isinstance(mark.value, Mapping):
        return {key: plain(child) for key, child in mark.value.items()}
    if isinstance(mark.value, list):
        return [plain(child) for child in mark.value]
    return mark.value
