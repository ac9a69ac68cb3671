"""Starts the eligibility service."""

from chassis import run

from eligibility.app import SERVICE

run(SERVICE)
