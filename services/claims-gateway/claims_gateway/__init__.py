"""Claim, edits, 837, acknowledgements and claim states."""
