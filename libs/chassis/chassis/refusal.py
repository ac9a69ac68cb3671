"""The one line in which a service says why it does not start, whatever kept it from starting.

It names the setting or the file and the next step. It never repeats a value: what is in a file or a URL may be a
secret or a patient's.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from kernel.errors import LineError, Unreadable

from chassis.log import frames_of
from chassis.settings import ServiceSettings, SettingsError
from chassis.storage import CannotStart

# What reading a file of the site raises without saying which file it was.
_NAMELESS = (UnicodeDecodeError, csv.Error, EOFError, zlib.error, gzip.BadGzipFile)


def refusal_of(error: Exception, service: str, settings: ServiceSettings) -> str:
    """Why the service does not start. What nobody has foreseen is named by its kind and place."""
    if isinstance(error, SettingsError | CannotStart):
        return str(error)
    site = settings.site_folder(service)
    if isinstance(error, Unreadable):
        return _of_rows(error, site)
    if isinstance(error, _NAMELESS) and (file := next(_not_text(site), None)) is not None:
        return f"{file} is not readable text: save it as UTF-8, or remove it"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be used ({type(error).__name__}): make it readable, or remove it"
    if isinstance(error, LineError):
        return f"{error.reason} ({error.code})"
    places = frames_of(error)
    return f"an unforeseen {type(error).__name__} at {places[-1] if places else 'no place'}: report this line"


def _of_rows(error: Unreadable, site: Path | None) -> str:
    """A row or a file by its name; whose it is, the site's or the release's, decides what is to be done."""
    name = error.path.partition(":")[0]
    reason = error.reason if error.path in error.reason else f"{error.path}: {error.reason}"
    own = site is not None and name and any(site.rglob(f"{name}*"))
    return f"{reason}: {f'correct it in {site}, or remove it' if own else 'install the service again'}"


def _not_text(site: Path | None) -> Iterator[Path]:
    for file in sorted(site.rglob("*")) if site is not None and site.is_dir() else ():
        if file.is_file() and not _is_text(file):
            yield file


def _is_text(file: Path) -> bool:
    try:
        content = file.read_bytes()
        text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, *_NAMELESS):
        return False
    return "\0" not in text
