"""The door: FHIR R4 in, facts out, and the FHIR read model."""
