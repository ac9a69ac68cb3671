"""Coded visits and performed orders to what is charged, and charges to messages and FHIR. No I/O."""
