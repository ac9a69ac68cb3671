"""The FHIR door: reads requests, has them kept or looked up, and answers; the rules of REST and nothing else."""

from interface_engine.entry_http.access import NoAudit
from interface_engine.entry_http.door import FhirDoor
from interface_engine.entry_http.routing import Route, reading, writing
from interface_engine.entry_http.serving import build_app
from interface_engine.wire.answers import FHIR_JSON as MEDIA_TYPE

__all__ = ["MEDIA_TYPE", "FhirDoor", "NoAudit", "Route", "build_app", "reading", "writing"]
