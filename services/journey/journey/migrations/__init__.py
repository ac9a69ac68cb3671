"""Schema of the journey service."""
