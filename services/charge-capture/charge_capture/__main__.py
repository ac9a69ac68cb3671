"""Starts the charge capture service."""

from chassis import run

from charge_capture.app import SERVICE

run(SERVICE)
