"""X12 5010 text to tree and back, with checks and acknowledgements.

Text comes in through `read` or `transaction_sets` and goes out through `write` or a builder of `x12.views`. What is
wrong with content is a finding of `check`; only text that is not X12 is an error.
"""

from x12.acknowledge import acknowledge, acknowledge_interchange
from x12.amounts import AmountError, from_cents, to_cents
from x12.balance import BalanceReport, Break, ClaimBalance, SetBalance, balance, balance_stream
from x12.check import Finding, Rule, Survey, check, check_stream, survey
from x12.check.situations import rules_of
from x12.code_sets import CodeSet, CodeSets
from x12.delimiters import Delimiters
from x12.describe import describe, describe_lines
from x12.loops import guide_of, loop_tree
from x12.portions import portions
from x12.read import batches, read, segments, transaction_sets
from x12.tree import Group, Interchange, Loop, Place, Segment, TransactionSet, X12Error
from x12.views.compose import ViewError
from x12.views.envelope import Envelope
from x12.write import write, write_segments

__all__ = [
    "AmountError",
    "BalanceReport",
    "Break",
    "ClaimBalance",
    "CodeSet",
    "CodeSets",
    "Delimiters",
    "Envelope",
    "Finding",
    "Group",
    "Interchange",
    "Loop",
    "Place",
    "Rule",
    "Segment",
    "SetBalance",
    "Survey",
    "TransactionSet",
    "ViewError",
    "X12Error",
    "acknowledge",
    "acknowledge_interchange",
    "balance",
    "balance_stream",
    "batches",
    "check",
    "check_stream",
    "describe",
    "describe_lines",
    "from_cents",
    "guide_of",
    "loop_tree",
    "portions",
    "read",
    "rules_of",
    "segments",
    "survey",
    "to_cents",
    "transaction_sets",
    "write",
    "write_segments",
]
