"""The words of the trade: money, periods, identifiers, codes, transitions and rule rows."""
