"""Prior authorization question and answer: views, builders, readers."""

from x12.views.authorization.model import (
    AuthorizationReply,
    AuthorizationRequest,
    AuthorizationService,
    Decision,
    ServiceDecision,
)
from x12.views.authorization.reply import build_278_response, read_278_response
from x12.views.authorization.request import build_278_request, read_278_request

__all__ = [
    "AuthorizationReply",
    "AuthorizationRequest",
    "AuthorizationService",
    "Decision",
    "ServiceDecision",
    "build_278_request",
    "build_278_response",
    "read_278_request",
    "read_278_response",
]
