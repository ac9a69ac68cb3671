"""What the charge capture service does, one function per verb."""

from charge_capture.handlers.capture import Answer, Arrival, Work, add_charge, capture_charges
from charge_capture.handlers.pricing import price_line, reckon

__all__ = ["Answer", "Arrival", "Work", "add_charge", "capture_charges", "price_line", "reckon"]
