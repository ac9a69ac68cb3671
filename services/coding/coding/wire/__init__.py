"""FHIR and messages to what a coder looks at, and back. No I/O."""
