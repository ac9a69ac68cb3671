"""What the coding service does with a visit, one function per verb."""

from coding.handlers.coding import code_visit
from coding.handlers.edits import check_lines
from coding.handlers.reviews import Arrival, Work, cancel_visit, finish_visit, resolve_review

__all__ = ["Arrival", "Work", "cancel_visit", "check_lines", "code_visit", "finish_visit", "resolve_review"]
