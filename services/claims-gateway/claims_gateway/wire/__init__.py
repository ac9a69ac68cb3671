"""Between the formats of others (protobuf, FHIR, X12) and our model. Pure."""
