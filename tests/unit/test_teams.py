"""Only CS, GS and IT, by one matrix (D2)."""

from __future__ import annotations

import pytest

from shared.domain.teams import MATRIX, Permission, Team, may, teams_of


def test_there_are_three_teams() -> None:
    assert {team.value for team in Team} == {"CS", "GS", "IT"}


def test_every_permission_is_in_the_matrix_and_nobody_else_is() -> None:
    """D2: what is not granted is denied."""
    assert set(MATRIX) == set(Permission)
    for permission in Permission:
        assert not may((), permission)
        for team in Team:
            assert may([team], permission) == (team in MATRIX[permission])
    with pytest.raises(TypeError):
        MATRIX[Permission.SEND_CAMPAIGNS] = frozenset(Team)  # type: ignore[index]


def test_advisors_confirm_and_everyone_may_stop() -> None:
    """A3: CS and GS advise. S3: a wish to stop is honoured by whoever hears it."""
    assert not may([Team.IT], Permission.CONFIRM_REGISTRATIONS)
    assert may([Team.CS], Permission.CONFIRM_REGISTRATIONS)
    assert may([Team.GS, Team.IT], Permission.CONFIRM_REGISTRATIONS)
    assert not may([Team.IT], Permission.SEND_CAMPAIGNS)
    assert all(may([team], Permission.RECORD_UNSUBSCRIPTIONS) for team in Team)


def test_requests_are_handled_by_cs_and_it_and_only_it_approves_an_erasure() -> None:
    """R1: nobody erases on CS's word alone."""
    assert may([Team.CS], Permission.HANDLE_REQUESTS)
    assert may([Team.IT], Permission.HANDLE_REQUESTS)
    assert not may([Team.GS], Permission.HANDLE_REQUESTS)
    assert may([Team.GS], Permission.READ_REQUESTS)
    assert not may([Team.CS, Team.GS], Permission.APPROVE_ERASURE)


@pytest.mark.parametrize(
    ("claim", "teams"),
    [
        ("[CS]", {Team.CS}),
        ("[CS IT]", {Team.CS, Team.IT}),
        ("CS,GS", {Team.CS, Team.GS}),
        ("[CS, GS]", {Team.CS, Team.GS}),
        ("[ADMIN GS]", {Team.GS}),
        ("[]", set()),
        ("", set()),
        ("[cs]", set()),
        ("[CSIT]", set()),
        ("[__class__]", set()),
        ("[CS-old XIT]", set()),
    ],
)
def test_claim(claim: str, teams: set[Team]) -> None:
    assert teams_of(claim) == teams
