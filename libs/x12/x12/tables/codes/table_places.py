"""Places of service: first and last day and the codes (45 CFR 162.1002). Without a day: ever since we know of them."""

PLACES = """
-: 01 03-09 11-16 20-26 31-34 41 42 49-57 60-62 65 71 72 81 99
20100501-: 17
20130501-: 18
20160101-: 19
20170101-: 02
20200101-: 58
20220101-: 10
20231001-: 27
20240801-: 66
"""
