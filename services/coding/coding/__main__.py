"""Starts the coding service."""

from chassis import run

from coding.app import SERVICE

run(SERVICE)
