"""The payers' own rules as rows."""
