"""The schema of the prior-auth service, version by version."""
