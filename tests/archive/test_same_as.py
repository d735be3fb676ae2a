"""Messages that are the same mail, and why their bytes differ."""

import pytest
from sqlalchemy import Engine, text

from etl.archive.search import show
from tests.archive.delivering import deliver

MAIL = b"From: ann@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: x\r\n\r\nHere is the bill.\r\n"
ENCODED = MAIL.replace(b"bill", b"=62ill").replace(
    b"Subject", b"Content-Transfer-Encoding: quoted-printable\r\nSubject"
)


@pytest.mark.parametrize(
    ("copy", "identity", "reason"),
    [
        (MAIL + b"\r\n", "canonical", "line ends"),
        (b"Received: from a by b; Tue, 3 Mar 2026 09:30:00 +0000\r\n" + MAIL, "canonical", "new Received"),
        (b"Delivered-To: bob@example.net\r\n" + MAIL, "canonical", "delivery headers"),
        (MAIL + b"-- \r\nThe list\r\n", "message-id", "footer added"),
        (MAIL.replace(b" is the bill.", b""), "message-id", "footer removed"),
        (MAIL.replace(b"Subject: x", b"Subject: [list] x"), "message-id", "other headers"),
        (MAIL.replace(b"bill", b"bell"), "message-id", "other content"),
        (ENCODED, "message-id", "re-encoded"),
    ],
)
def test_the_same_mail_is_found_and_the_reason_told(engine: Engine, copy: bytes, identity: str, reason: str):
    """Both stay: a relation, no merge."""
    deliver(engine, "ann", MAIL)
    deliver(engine, "bob", copy)
    with engine.connect() as connection:
        assert connection.execute(text("select * from mart.same_as")).all() == [(2, 1, identity, reason)]
        connection.commit()
        assert show(connection, "1")["same_mail"] == [2]
        assert connection.scalar(text("select count(*) from archive.message")) == 2


def test_messages_without_an_id_are_not_the_same(engine: Engine):
    """Nor are those of which only the id is not there in both."""
    deliver(
        engine, "ann", b"Subject: x\r\n\r\none\r\n", b"Subject: x\r\n\r\ntwo\r\n", b"Message-ID:\r\n\r\n3\r\n", MAIL
    )
    with engine.connect() as connection:
        assert connection.execute(text("select * from mart.same_as")).all() == []
