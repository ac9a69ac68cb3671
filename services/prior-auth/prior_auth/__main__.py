"""Starts the prior-auth service."""

from chassis import run

from prior_auth.app import SERVICE

run(SERVICE)
