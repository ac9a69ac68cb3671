"""The web console: a page for people over the ledger, its numbers and the work that waits for somebody."""

from journey.console.app import console_app

__all__ = ["console_app"]
