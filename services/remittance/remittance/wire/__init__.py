"""Between what the world writes (X12, NACHA, protobuf, FHIR) and what the model knows. Pure."""
