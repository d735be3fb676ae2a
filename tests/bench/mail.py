"""Mail without end, made by its number: people who write to each other in threads, with words as common as words are.

The same number gives the same message, so a million need no disk. Nothing in it is anybody's.
"""

import base64
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from itertools import accumulate

WORDS = 60_000
PEOPLE = 2_000
FILES = 400
TEXT = 500_000
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvwz" for vowel in "aeiou"]
CHINESE = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分"
    "对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
)
BEGAN = datetime(2015, 1, 1, tzinfo=UTC)


def message(number: int) -> bytes:
    """The message of that number: some 3 kB, one in twelve with a file that others have too, one in fifty Chinese."""
    rng = random.Random(number)
    first = rng.randrange(TEXT - 5)
    sender, *recipients = map(person, _correspondents()[first : first + rng.choice((2, 2, 2, 3, 5))])
    parent = number - rng.randrange(1, 200) if rng.random() < 0.4 else 0
    sent = BEGAN + timedelta(minutes=5 * number + rng.randrange(600))
    lines = [
        f"Received: from mail.{sender[1].partition('@')[2]} by mx.example.org with ESMTPS id {number:x};"
        f"\r\n\t{format_datetime(sent + timedelta(seconds=9))}",
        f"From: {sender[0]} <{sender[1]}>",
        "To: " + ",\r\n\t".join(f"{name} <{address}>" for name, address in recipients),
        f"Subject: {'Re: ' if parent > 0 else ''}{_words(rng, 5)}",
        f"Date: {format_datetime(sent)}",
        f"Message-ID: {message_id(number)}",
    ]
    if parent > 0:
        lines += [f"In-Reply-To: {message_id(parent)}", f"References: {message_id(parent)}"]
    return ("\r\n".join(lines) + "\r\n").encode() + _content(rng)


def message_id(number: int) -> str:
    """The Message-ID of the message of that number."""
    return f"<{number}.{number * 7919 % 10007}@example.org>"


@cache
def person(number: int) -> tuple[str, str]:
    """A name and an address."""
    given, family = word(number * 3 + 11).title(), word(number * 5 + 17).title()
    return f"{given} {family}", f"{given}.{family}{number}@{word(number % 40)}.example.net".lower()


@cache
def word(number: int) -> str:
    """A word; those of low numbers are the common ones, and short."""
    syllables, left = "", number
    while left or not syllables:
        left, syllable = divmod(left, len(SYLLABLES))
        syllables += SYLLABLES[syllable]
    return syllables


def _words(rng: random.Random, count: int) -> str:
    """A piece of the one long text from which all mail quotes."""
    start = rng.randrange(TEXT - count)
    return " ".join(_text()[start : start + count])


def quotation(number: int) -> str:
    """Three words that stand together in some of the mail."""
    return " ".join(_text()[number * 9_973 : number * 9_973 + 3])


@cache
def _text() -> list[str]:
    return [word(n) for n in _zipf(WORDS, TEXT)]


@cache
def _correspondents() -> list[int]:
    return _zipf(PEOPLE, TEXT)


def _zipf(count: int, draws: int) -> list[int]:
    """Numbers below `count`, the n-th as likely as 1/n (Zipf's law)."""
    weights = list(accumulate(1 / (n + 2) for n in range(count)))
    return random.Random(count).choices(range(count), cum_weights=weights, k=draws)


def _content(rng: random.Random) -> bytes:
    if rng.random() < 0.02:
        text = "\N{IDEOGRAPHIC COMMA}".join("".join(rng.choices(CHINESE, k=12)) for _ in range(20))
        return b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode() + b"\r\n"
    body = "\r\n".join(_words(rng, 11) + "." for _ in range(rng.choice((3, 8, 15, 40))))
    if rng.random() < 1 / 12:
        return _with_file(body, rng.randrange(FILES))
    return b"\r\n" + body.encode() + b"\r\n"


def _with_file(body: str, number: int) -> bytes:
    return (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=between\r\n\r\n--between\r\n\r\n"
        + body.encode()
        + b"\r\n--between\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        + f'Content-Disposition: attachment; filename="{word(number + 500)}.bin"\r\n\r\n'.encode()
        + _file(number)
        + b"--between--\r\n"
    )


@cache
def _file(number: int) -> bytes:
    content = random.Random(number).randbytes(4_000 + number * 37)
    return base64.encodebytes(content).replace(b"\n", b"\r\n")
