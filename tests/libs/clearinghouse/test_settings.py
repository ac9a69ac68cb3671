"""What services are told of the clearinghouse: who has which mailbox, and which transport the address means."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from clearinghouse import DirectoryClearinghouse, HttpClearinghouse, MailboxSettings, RealtimeSettings


def test_without_a_setting_the_tenant_has_the_only_mailbox() -> None:
    assert MailboxSettings(clearinghouse_url="http://x").submitters("demo") == {"demo": "THROUGHLINE"}


def test_the_mailboxes_of_a_site_stand_before_it() -> None:
    settings = MailboxSettings(clearinghouse_url="http://x", mailboxes={"a": "A1", "b": "B1"})
    assert settings.submitters("demo") == {"a": "A1", "b": "B1"}


async def test_the_address_chooses_the_transport(tmp_path: Path) -> None:
    async with httpx.AsyncClient() as http:
        folder = MailboxSettings(clearinghouse_url=tmp_path.as_uri()).open_mailbox("A1", http)
        network = RealtimeSettings(clearinghouse_url="https://clearing.example").open_clearinghouse(http)
        assert isinstance(folder, DirectoryClearinghouse)
        assert isinstance(network, HttpClearinghouse)
        with pytest.raises(ValueError, match="clearinghouse_url"):
            MailboxSettings(clearinghouse_url="clearing.example").open_mailbox("A1", http)
