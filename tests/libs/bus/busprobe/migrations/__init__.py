"""Schema of the probe."""
