"""Transactions as plain values: builders write them, readers bring them back."""
