"""Which validity period is rated by."""

from datetime import UTC, datetime, timedelta

from relais.core.rating.scopes import Scope, current_scope

JANUARY, FEBRUARY, MARCH = (datetime(2025, month, 1, tzinfo=UTC) for month in (1, 2, 3))


def test_SV_264_a_scope_includes_its_start_and_excludes_its_end() -> None:
    scope = Scope(1, False, JANUARY, FEBRUARY)
    instant = timedelta(microseconds=1)
    assert current_scope([scope], JANUARY - instant) is None
    assert current_scope([scope], JANUARY) == scope
    assert current_scope([scope], FEBRUARY - instant) == scope
    assert current_scope([scope], FEBRUARY) is None


def test_SV_42_an_open_end_holds_indefinitely() -> None:
    scope = Scope(1, False, JANUARY)
    assert current_scope([scope], datetime(9999, 1, 1, tzinfo=UTC)) == scope


def test_SV_50_of_overlapping_scopes_the_one_created_first_holds_and_a_draft_never() -> None:
    """Also SV-48, SV-49, SV-265."""
    draft, older, newer = Scope(1, True, JANUARY), Scope(2, False, FEBRUARY), Scope(3, False, JANUARY)
    assert current_scope([newer, older, draft], MARCH) == older
    assert current_scope([newer, older, draft], JANUARY) == newer
    assert current_scope([draft], MARCH) is None
