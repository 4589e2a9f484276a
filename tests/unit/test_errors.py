"""The tree of errors: one status each, sentences in both languages, nothing personal in str."""

from __future__ import annotations

import re

import pytest

from shared.domain import errors
from shared.domain.errors import (
    FieldProblem,
    OptinError,
    TooMany,
    Unavailable,
    Unprocessable,
)

LEAVES = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, OptinError) and found is not OptinError
]


def test_the_picture_shows_the_whole_tree() -> None:
    """The docstring's picture names every error with its status."""
    picture = dict(re.findall(r"── (\w+) +(\d{3})?", errors.__doc__ or ""))
    assert set(picture) == {leaf.__name__ for leaf in LEAVES}
    for leaf in LEAVES:
        assert picture[leaf.__name__] in {str(leaf.status), ""}


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_each_has_its_title_in_both_languages(leaf: type[OptinError]) -> None:
    assert 400 <= leaf.status <= 503
    assert leaf.title.isascii()
    assert leaf.title_ja
    assert not leaf.title_ja.isascii()


def test_plain_error() -> None:
    error = errors.NotFound("unknown_form", "このフォームはありません。")
    assert (str(error), error.code, error.ja, error.en) == (
        "unknown_form", "unknown_form", "このフォームはありません。", "unknown_form",
    )  # fmt: skip
    assert errors.NotFound("unknown_form", "…", "No such form.").en == "No such form."


def test_unprocessable_names_fields_and_keeps_what_was_typed_out_of_str() -> None:
    problem = FieldProblem("x", "これはどうですか。", "This?", "taro@gmail.com")
    error = Unprocessable({"email": problem})
    assert error.fields == {"email": problem}
    assert problem.suggestion == "taro@gmail.com"
    assert "taro" not in str(error) + repr(error) + repr(problem)


def test_limits_say_when_to_come_back() -> None:
    error = TooMany("too_many_posts", 60)
    assert (error.status, error.retry_after) == (429, 60)
    assert error.ja.endswith("。")


def test_a_store_that_cannot_be_asked_asks_to_try_again() -> None:
    error = Unavailable("contacts")
    assert (error.status, error.code) == (503, "contacts")
    assert "もう一度" in error.ja
