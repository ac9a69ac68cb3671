"""835, ledger, denials and deposits."""
