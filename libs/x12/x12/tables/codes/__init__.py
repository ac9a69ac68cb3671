"""External code lists as facts: codes with the days on which they began and stopped. No descriptions."""
