"""What remittance does, one function per verb. Nothing here commits, reads a clock or knows a transport."""
