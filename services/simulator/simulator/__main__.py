"""Starts the simulator."""

from chassis import run

from simulator.app import SERVICE

run(SERVICE)
