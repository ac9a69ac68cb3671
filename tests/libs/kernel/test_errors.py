"""Three families, told apart by type, each with what its transports need."""

import pytest
from kernel.errors import LineError, Refused, Unavailable, Unreadable


@pytest.mark.parametrize(
    "error",
    [Refused("a", "b"), Unreadable("a", "Claim.item[0]", "b", 3), Unavailable("a", "b", 1.5)],
)
def test_families_are_line_errors_with_code_and_reason(error: LineError) -> None:
    assert (error.code, error.reason, str(error)) == ("a", "b", "a: b")
    families = [family for family in (Refused, Unreadable, Unavailable) if isinstance(error, family)]
    assert families == [type(error)]


def test_details() -> None:
    assert Refused("a", "b").kind == "failed_precondition"
    assert Refused("a", "b", "not_found").kind == "not_found"
    assert (Unreadable("a", "p", "b", 3).path, Unreadable("a", "p", "b", 3).position) == ("p", 3)
    assert Unavailable("a", "b").retry_after_s is None
