"""What can be known to be wrong before anything has started: folders, the site's files, ports.

Half a start is worse than none. Everything here is looked at before the database is asked and before a port opens.
"""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path

from chassis.settings import PREFIX, ServiceSettings, SettingsError

WRITTEN = ("run_dir", "traces_dir")
PORTS = ("grpc_port", "http_port", "metrics_port", "health_port")


def check_writable(name: str, folder: Path) -> None:
    """Make the folder of a setting where it is not there. SettingsError when it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SettingsError(
            f"{name} is a folder that cannot be written to ({_kind(error)}): {folder}: "
            "name another, or give this user the right"
        ) from None


def check_readable(name: str, folder: Path) -> None:
    """SettingsError when the folder of a setting, or what is directly in it, cannot be read."""
    try:
        for entry in os.scandir(folder):
            if not os.access(entry.path, os.R_OK):  # no right, or a link that leads nowhere
                raise SettingsError(f"{name} holds what cannot be read: {entry.path}: mend or remove it")
    except OSError as error:
        raise SettingsError(
            f"{name} is a folder that cannot be read ({_kind(error)}): {folder}: name another, or make it readable"
        ) from None


def check_ports(settings: ServiceSettings) -> None:
    """SettingsError when a port is taken, given twice, or not ours to listen on."""
    with ExitStack() as held:
        for name in PORTS:
            port = getattr(settings, name)
            if port:
                held.enter_context(_listener(f"{PREFIX}{name.upper()}", settings.listen_host, port))


def _listener(name: str, host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except PermissionError:
        raise SettingsError(f"{name} is {port}, which this user may not listen on: give one above 1023") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            line = f"{name} is {port}, which is taken: give another, or stop what listens there"
            raise SettingsError(line) from None
        line = f"RCM_LISTEN_HOST is no address of this machine ({_kind(error)}): set 127.0.0.1 or 0.0.0.0"
        raise SettingsError(line) from None


def _kind(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else type(error).__name__


def check_surroundings(service: str, settings: ServiceSettings) -> None:
    """SettingsError, naming the setting and the folder or port, for the first thing that would not work."""
    for name in WRITTEN:
        folder = getattr(settings, name)
        if folder is not None:
            check_writable(f"{PREFIX}{name.upper()}", folder)
    if settings.site_dir is not None:
        check_readable("RCM_SITE_DIR", settings.site_dir)
        own = settings.site_dir / service
        if own.exists():
            check_readable("RCM_SITE_DIR", own)
    check_ports(settings)
