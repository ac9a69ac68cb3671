"""Claim status categories and claim status codes as ranges, without days: those that a 277 of 5010 can carry."""

CATEGORIES = """
-: A0-A8 D0 DR01-DR08 E0-E4 F0-F2 F3 F3F F3N F4 P0-P5 R0 R1 R3-R17 RQ WQ
"""
STATUSES = """
-: 0-3 6 12 15-27 29-35 37-42 44-57 59-61 64-66 68 71-73 76-78 81 83-88 90-98 99-129 130-200 201-299 300-399 400-499
-: 500-599 600-699 700-799 800-829
"""
