"""Chooses a clearinghouse's transport by its address."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import httpx

from clearinghouse.mailbox import Clearinghouse
from clearinghouse.over_directory import DirectoryClearinghouse
from clearinghouse.over_http import HttpClearinghouse


def open_clearinghouse(
    url: str, submitter: str, http: httpx.AsyncClient | None = None, token: str = ""
) -> Clearinghouse:
    """The client for `https://...` or `http://...` (needs `http`) or `file:///folder`.

    `submitter` is our mailbox id. ValueError on any other address: a wrong setting, found at start.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path:
        return DirectoryClearinghouse(unquote(parts.path))
    if parts.scheme in {"http", "https"} and parts.netloc and http is not None:
        return HttpClearinghouse(url, submitter, http, token)
    raise ValueError("the clearinghouse address must be http(s)://host (with an HTTP client) or file:///folder")
