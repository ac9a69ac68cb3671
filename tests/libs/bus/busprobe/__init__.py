"""A service without a trade: the schema on which the bus is tried."""
