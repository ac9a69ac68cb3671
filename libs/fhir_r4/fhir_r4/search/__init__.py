"""Search in FHIR R4: the parameters of each type, what is indexed of a resource, and how a query string reads."""

from fhir_r4.search.asked import Include, Query, Term
from fhir_r4.search.folding import fold
from fhir_r4.search.moments import EARLIEST, LATEST
from fhir_r4.search.query import parse_query
from fhir_r4.search.registry import Kind, Parameter, includes, parameters, revincludes
from fhir_r4.search.rows import Indexed, index
from fhir_r4.search.values import (
    DateValue,
    Missing,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Value,
)

__all__ = [
    "EARLIEST",
    "LATEST",
    "DateValue",
    "Include",
    "Indexed",
    "Kind",
    "Missing",
    "NumberValue",
    "Parameter",
    "QuantityValue",
    "Query",
    "ReferenceValue",
    "StringValue",
    "Term",
    "TokenValue",
    "UriValue",
    "Value",
    "fold",
    "includes",
    "index",
    "parameters",
    "parse_query",
    "revincludes",
]
