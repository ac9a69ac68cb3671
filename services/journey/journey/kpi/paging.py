"""Pages by key: the token of the next page names the row after which it begins."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from kernel.errors import Unreadable

PAGE_LIMIT = 500


def token_of(*parts: Any) -> str:
    """An opaque page token."""
    return base64.urlsafe_b64encode(json.dumps([str(part) for part in parts]).encode()).decode()


def read_token(token: str, length: int) -> list[str]:
    """What stands in a page token. Unreadable(page-token) when it is none of ours."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
    except (ValueError, binascii.Error):
        parts = None
    if not isinstance(parts, list) or len(parts) != length or not all(isinstance(part, str) for part in parts):
        raise Unreadable("page-token", "after", "this is not the token of a page")
    return parts


def limit_of(limit: int) -> int:
    """How many rows a page may have: 50 when nothing is said."""
    return min(limit or 50, PAGE_LIMIT)
