"""The outside world on one machine: an EHR that sends, a clearinghouse, two payers and a bank that answer."""
