"""One way to speak with a clearinghouse, whichever transport a site has: `open_clearinghouse` chooses it by address."""

from clearinghouse.mailbox import Clearinghouse, MailFile
from clearinghouse.opening import open_clearinghouse
from clearinghouse.over_directory import DirectoryClearinghouse
from clearinghouse.over_http import HttpClearinghouse
from clearinghouse.realtime import ask_payer, find_reply
from clearinghouse.settings import MailboxSettings, RealtimeSettings
from clearinghouse.trading import Trading, x12_member, x12_text

__all__ = [
    "Clearinghouse",
    "DirectoryClearinghouse",
    "HttpClearinghouse",
    "MailFile",
    "MailboxSettings",
    "RealtimeSettings",
    "Trading",
    "ask_payer",
    "find_reply",
    "open_clearinghouse",
    "x12_member",
    "x12_text",
]
