"""Certificates of everybody on one machine, by an authority of its own, issued anew as often as wanted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from chassis.embedded.certificates import Authority

from cli.stack.programs import PROGRAMS

BROKER, COMMAND = "nats", "throughline"
LASTS = timedelta(days=7)
RENEW_EVERY_S = 86_400.0


class Certificates:
    """Below `folder` one folder for each who speaks: the services, the broker, and the command."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def issue(self) -> None:
        """New keys and certificates for all, beside the old ones until each has noticed."""
        authority = Authority(self._folder / "authority")
        for name in (*(program.name for program in PROGRAMS), BROKER, COMMAND):
            authority.issue(name, self.of(name), valid_for=LASTS, sans=["localhost", "127.0.0.1"])

    def of(self, name: str) -> Path:
        """The folder with tls.crt, tls.key and ca.crt."""
        return self._folder / name
