"""The schema of the charge capture service, version by version."""
