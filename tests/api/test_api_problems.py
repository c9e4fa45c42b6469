"""The table of problems: total, disjoint, and in step with what HTTP asks of each status."""

import pytest

from relais.api.problems import PRESENTED, Code, EdgeProblem, headers_of, problem
from relais.core.refusals import Refusal

CODES: list[Code] = [*Refusal, *EdgeProblem]


def test_every_refusal_and_every_edge_problem_has_its_row_and_nothing_else() -> None:
    assert list(PRESENTED) == CODES


def test_no_code_means_two_things() -> None:
    assert len({str(code) for code in CODES}) == len(Refusal) + len(EdgeProblem)


def test_no_title_stands_for_two_codes() -> None:
    assert len({shown.title for shown in PRESENTED.values()}) == len(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_problem_speaks_even_without_a_detail_of_its_own(code: Code) -> None:
    told = problem(code)
    assert (told.code, told.type, told.status) == (code, f"/problems/{code}", PRESENTED[code].status)
    assert told.detail.endswith(".") and told.title and not told.title.endswith(".")


@pytest.mark.parametrize("code", CODES)
def test_statuses_bring_the_headers_that_http_asks_for(code: Code) -> None:
    names = {name for name, _ in headers_of(problem(code))}
    assert (b"www-authenticate" in names) == (PRESENTED[code].status == 401)
    assert (b"retry-after" in names) == (code in {Refusal.OVERLOADED, EdgeProblem.NOT_READY, EdgeProblem.TOO_FAST})


@pytest.mark.parametrize("code", list(Refusal))
def test_a_refusal_is_the_clients_to_solve_or_may_be_repeated_and_is_never_our_fault(code: Refusal) -> None:
    assert PRESENTED[code].status in {402, 403, 422, 503}
