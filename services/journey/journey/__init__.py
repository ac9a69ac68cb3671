"""Encounter-to-payment ledger and trace."""
