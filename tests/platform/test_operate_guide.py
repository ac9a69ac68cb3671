"""The guide for operators: its promises are the alerts' promises, and each setting and command that it names exists."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from chassis.revision import SERVICES
from cli.app import main as command
from typer.main import get_command

DOCS = Path(__file__).resolve().parents[2] / "docs"
OPERATE = (DOCS / "operate.md").read_text()
# Read by the jobs and by the settings' own loader, before there are settings.
OTHERS = {"RCM_SECRETS_DIR", "RCM_POSTGRES_OWNER_URL", "RCM_ROLE_PASSWORD"}


def table_after(page: str, first: str) -> Iterator[list[str]]:
    """The rows of the table whose header begins with this cell."""
    lines = page[page.index(f"| {first} |") :].splitlines()
    for line in lines[2:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def known_settings() -> set[str]:
    classes = [importlib.import_module(f"{service}.app").SERVICE.settings for service in SERVICES]
    return OTHERS | {f"RCM_{name.upper()}" for one in classes for name in one.model_fields}


def known_commands() -> set[str]:
    """`status`, `journey show`, ..."""
    found = set()
    for name, one in get_command(command).commands.items():  # type: ignore[attr-defined]
        inner = getattr(one, "commands", None)
        found |= {f"{name} {each}" for each in inner} if inner else {name}
    return found


def test_what_is_promised_is_what_the_alerts_promise() -> None:
    promised = {row[0]: (row[1], row[2]) for row in table_after((DOCS / "observability.md").read_text(), "objective")}
    said = {row[0]: (row[1], row[2]) for row in table_after(OPERATE, "objective")}
    assert said.keys() == promised.keys() and len(said) > 5
    for name, (limit, share) in said.items():
        assert limit == promised[name][0], name
        assert share.startswith(promised[name][1]) or promised[name][1] == "all", name


@pytest.mark.parametrize("page", ["operate.md", "security.md"])
def test_each_setting_that_a_guide_names_is_one(page: str) -> None:
    named = set(re.findall(r"\bRCM_[A-Z0-9_]+\b", (DOCS / page).read_text())) - {"RCM_DEAD"}
    assert len(named) > 5
    assert sorted(named - known_settings()) == []


def test_each_command_that_the_guide_names_is_one() -> None:
    known = known_commands()
    groups = {one.split(" ")[0] for one in known if " " in one}
    said = {tuple(one.split(" ")) for one in re.findall(r"throughline ([a-z]+(?: [a-z-]+)?)", OPERATE)}
    assert len(said) > 5
    assert [one for one in said if (" ".join(one) if one[0] in groups else one[0]) not in known] == []


def test_the_place_for_measured_capacity_is_there() -> None:
    assert "\n## Capacity\n" in OPERATE
