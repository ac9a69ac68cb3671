"""The schema of the eligibility service, version by version."""
