"""The schema of the coding service, version by version."""
