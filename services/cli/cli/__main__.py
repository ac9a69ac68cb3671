"""Runs the command with `python -m cli`."""

from cli.app import main

main()
