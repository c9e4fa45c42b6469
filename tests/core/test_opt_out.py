"""Words by which recipients ask to be left alone, to be written to again, or for help."""

import pytest

from relais.core.opt_out import WORDS, Asked, asked_by, own_words


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("STOP", Asked.STOP), (" Stop! ", Asked.STOP), ("stop  all", Asked.STOP), ("«Baja».", Asked.STOP), ("СТОП", Asked.STOP),
        ("arret", Asked.STOP), ("ARRÊT", Asked.STOP), ("Start", Asked.START), ("alta", Asked.START), ("help?", Asked.HELP),
        ("informacion", Asked.HELP), ("Помощь", Asked.HELP),
        ("Please stop", None), ("stopping", None), ("", None), ("!", None), ("stop" * 40, None), ("йод", None),
    ],
)  # fmt: skip
def test_a_whole_message_asks_without_case_accents_or_signs_around_it(text: str, asked: Asked | None) -> None:
    assert asked_by(text) is asked


def test_a_sender_has_further_words_that_go_first_and_a_keyword_before_them() -> None:
    own = own_words("leave me, nein danke", "", "help me, stop")
    assert [asked_by(text, own) for text in ("Leave me.", "NEIN DANKE", "stop", "baja")] == [
        Asked.STOP, Asked.STOP, Asked.HELP, Asked.STOP
    ]  # fmt: skip
    assert [asked_by(text, keyword="Club") for text in ("CLUB stop", "stop", "club", "clubstop")] == [
        Asked.STOP, Asked.STOP, None, None
    ]  # fmt: skip


def test_no_word_means_two_things() -> None:
    meanings: dict[str, set[Asked]] = {}
    for asked, languages in WORDS.items():
        for words in languages.values():
            for word in words:
                assert asked_by(word) is asked
                meanings.setdefault(word, set()).add(asked)
    assert all(len(each) == 1 for each in meanings.values())
