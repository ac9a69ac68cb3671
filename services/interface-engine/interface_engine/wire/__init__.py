"""Between FHIR text, the repository's own words, and the messages of the line. No I/O."""
