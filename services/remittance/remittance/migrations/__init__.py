"""The schema of the remittance service, version by version."""
