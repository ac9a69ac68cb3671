"""Charges from procedures, orders and medications, priced."""
