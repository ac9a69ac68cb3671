"""SQL of the interface engine: small classes over one open transaction, a few statements for each request."""

from interface_engine.store.repository import Repository, read_newest
from interface_engine.store.requests import Replay, Requests
from interface_engine.store.shapes import READ_MODEL, RETRIED, Overtaken, Page, Stored
from interface_engine.store.visits import Visits

__all__ = [
    "READ_MODEL",
    "RETRIED",
    "Overtaken",
    "Page",
    "Replay",
    "Repository",
    "Requests",
    "Stored",
    "Visits",
    "read_newest",
]
