"""Starts the claims gateway."""

from chassis import run

from claims_gateway.app import SERVICE

run(SERVICE)
