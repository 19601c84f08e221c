"""Folding replies: what is new stays, what is quoted goes below the fold."""

import time

import pytest

from core.mail.parsing.folding import fold_reply


@pytest.mark.parametrize(
    "quoted",
    [
        "Dne 3. 2. 2026 v 10:15 Jana Malá napsala:\n> Dobrý den,\n> tiskne?\n",
        "W dniu 3.02.2026 o 10:15, Jan Mały pisze:\n> Dzień dobry\n",
        "On Tue, 3 Feb 2026 at 10:15, Jan\n<jan@x.example> wrote:\n\n> Hello\n",
        "-----Original Message-----\nFrom: Jan\nSent: today\n\nHello\n",
        "________________________________\nOd: Jan\nOdesláno: dnes\nKomu: Jana\nPředmět: Věc\n\nText\n",
        "From: Jan\nSent: Tuesday\nTo: Jana\nSubject: Thing\n\nText\n",
        "Am 03.02.26 um 10:15 schrieb Jan Klein:\n> Hallo\n",
    ],
)
def test_what_is_quoted_is_folded(quoted: str) -> None:
    assert fold_reply(f"Děkuji, funguje.\n\nJan\n\n{quoted}") == ("Děkuji, funguje.\n\nJan\n\n", quoted)


def test_answers_between_quoted_lines_are_never_hidden() -> None:
    text = "Jan wrote:\n> Is it on?\nYes.\n> And now?\nNo.\n"
    assert fold_reply(text) == (text, "")


def test_an_answer_below_its_quote_is_what_is_new() -> None:
    quote = "On Tue, Jan wrote:\n> Is it on?\n"
    assert fold_reply(f"{quote}\nYes.\n") == ("Yes.\n", f"{quote}\n")


def test_plain_words_are_not_folded() -> None:
    text = "Hello,\n\nthe price is > 5 EUR.\nFrom: Prague\n\nJan"
    assert fold_reply(text) == (text, "")


@pytest.mark.attack(25)
@pytest.mark.parametrize(
    "text",
    [
        ">\n" * 32_000 + "x",
        "On " * 20_000,
        "On a\n" * 13_000,
        "a@" * 30_000,
        " " * 64_000 + "wrote:",
        ("> a\n" + "x\n") * 10_000,
        "1.1.2026, " * 6_000 + "<a@b>:",
        "_" * 64_000,
        ("x" * 399 + "\n") * 160,
        "From: \n" * 9_000,
    ],
)
def test_folding_is_quick_whatever_stands_there(text: str) -> None:
    """Counted in the processor's time: other tests run beside this one."""
    started = time.process_time()
    new, quoted = fold_reply(text)
    assert time.process_time() - started < 1
    assert sorted(new + quoted) == sorted(text)
