"""The remittance advice: view, builder, reader."""

from x12.views.remittance.build import build_835
from x12.views.remittance.model import (
    BankTransfer,
    ClaimPayment,
    LinePayment,
    ProviderAdjustment,
    RemitPayee,
    RemitPayer,
    RemitPerson,
    Remittance,
)
from x12.views.remittance.read import read_835, stream_835

__all__ = [
    "BankTransfer",
    "ClaimPayment",
    "LinePayment",
    "ProviderAdjustment",
    "RemitPayee",
    "RemitPayer",
    "RemitPerson",
    "Remittance",
    "build_835",
    "read_835",
    "stream_835",
]
