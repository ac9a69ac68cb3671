"""Cookies that only this console can read or make: encrypted, signed and dated."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from kernel.clock import Clock


class Seal:
    """Seals small objects under the console's secret. An empty secret makes one for the life of this process."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._secret = secret.encode() or secrets.token_bytes(32)
        self._fernet = Fernet(base64.urlsafe_b64encode(self._derive("seal")))
        self._clock = clock

    def _derive(self, purpose: str) -> bytes:
        return hmac.new(self._secret, f"throughline console {purpose}".encode(), hashlib.sha256).digest()

    def close(self, content: dict[str, Any]) -> str:
        """The content as text for a cookie."""
        return self._fernet.encrypt_at_time(json.dumps(content).encode(), self._now()).decode()

    def open(self, text: str, max_age_s: int) -> dict[str, Any] | None:
        """What was sealed; None when it was not sealed here, was changed, or is older than so many seconds."""
        try:
            opened = self._fernet.decrypt_at_time(text.encode(), max_age_s, self._now())
        except (InvalidToken, UnicodeEncodeError):
            return None
        found: dict[str, Any] = json.loads(opened)
        return found

    def token(self, purpose: str, of: str) -> str:
        """A value that only this console can compute, as for the field that proves a form to be ours."""
        return hmac.new(self._derive(purpose), of.encode(), hashlib.sha256).hexdigest()

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
