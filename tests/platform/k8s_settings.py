"""What manifests tell services, read by the services' own settings classes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from chassis.settings import ADDRESS_PREFIX, PREFIX, ServiceSettings, load_settings
from cli.stack import PROGRAMS

LINE = {program.name: program for program in PROGRAMS}


def settings_class(service: str) -> type[ServiceSettings]:
    return importlib.import_module(f"{LINE[service].module}.app").SERVICE.settings  # type: ignore[no-any-return]


def unknown_settings(service: str, given: dict[str, str]) -> set[str]:
    """Variables that the service does not know, or addresses of services that it does not call."""
    known = {PREFIX + name.upper() for name in settings_class(service).model_fields} - {f"{PREFIX}ADDRESSES"}
    known |= {ADDRESS_PREFIX + callee.upper().replace("-", "_") for callee in LINE[service].calls}
    return set(given) - known - {"RCM_SECRETS_DIR"}


def read_as(
    service: str, given: dict[str, str], files: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The settings as the service's process would read them. SettingsError when it would not start."""
    for name, text in files.items():
        (folder / name).write_text(text)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RCM_SECRETS_DIR", str(folder))
    return load_settings(settings_class(service))


def check_console(settings: Any) -> None:
    """What the console refuses beyond the types of its settings. SettingsError."""
    importlib.import_module("journey.console.settings").check_console(settings)
