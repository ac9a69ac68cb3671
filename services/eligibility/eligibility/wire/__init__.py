"""Between the line's words and ours: FHIR and events in, X12 out and in, facts and FHIR out. Pure."""
