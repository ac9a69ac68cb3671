"""Coverage checks by X12 270 and 271."""
