"""Postgres and NATS on one machine without containers: for the demo, for development and for tests."""

from chassis.embedded.nats import EmbeddedNats
from chassis.embedded.postgres import EmbeddedPostgres

__all__ = ["EmbeddedNats", "EmbeddedPostgres"]
