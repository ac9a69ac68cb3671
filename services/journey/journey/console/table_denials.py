"""Ways to look at denials, and the shares of their categories that surveys report beside best practice.

The shares come from different surveys and sum past 100 %; each denial has one primary category here.
"""

from __future__ import annotations

WAYS: dict[str, str] = {
    "category": "Category",
    "payer": "Payer",
    "carc": "CARC",
    "feed": "Feed",
    "provider": "Provider",
}
STATES = ("open", "appealed", "overturned", "written-off", "closed")
# Category -> share in the industry, best practice, what one costs.
BENCHMARKS: dict[str, tuple[str, str, str]] = {
    "missing-data": ("46 % cite it", "< 10 %", "$25-35"),
    "eligibility": ("22-27 %", "< 8 %", "$25-40"),
    "coding": ("15-20 %", "< 5 %", "$35-57"),
    "documentation": ("12-15 %", "< 4 %", "$50-181"),
    "authorization": ("10.4 %", "< 3 %", "$48-68"),
    "duplicate": ("8-12 %", "< 2 %", "$25-30"),
    "timely-filing": ("6-8 %", "< 1 %", "the whole claim"),
}
