"""FHIR R4 as rows of facts: elements, cardinalities, types, reference targets and required value sets."""
