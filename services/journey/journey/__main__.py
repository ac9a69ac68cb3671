"""Starts the journey service."""

from chassis import run

from journey.app import SERVICE

run(SERVICE)
