"""What remittance knows: the books, claims on account, denials, deposits. No I/O, no clock."""
