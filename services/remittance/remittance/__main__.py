"""Starts the remittance service."""

from chassis import run

from remittance.app import SERVICE

run(SERVICE)
