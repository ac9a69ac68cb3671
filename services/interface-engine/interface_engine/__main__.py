"""Starts the interface engine."""

from chassis import run

from interface_engine.app import SERVICE

run(SERVICE)
