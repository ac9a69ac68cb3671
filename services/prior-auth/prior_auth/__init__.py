"""Authorization requirement rules and X12 278."""
