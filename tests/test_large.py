"""Messages too large to hold: cut, changed, and with attachments that are stored as they pass by."""

import base64
import hashlib
import random

from etl.archive import stored
from etl.archive.verification import books
from tests.archive.delivering import rehashed
from tests.archivist import LETTERS, Archivist, ann, hashes, letter
from tests.pop3_server import Cut, Message, Pop3Server, Reply, Session, body, wire


class Tearing(Session):
    """Drops the line after so many bytes of a large message, later each time."""

    octets = 0

    def retrieve(self, number: int) -> Reply:
        """The beginning of the message."""
        raw = b"".join(super().retrieve(number))  # type: ignore[arg-type]
        if len(raw) < 1024 * 1024:
            yield raw
            return
        Tearing.octets += 1_500_000
        yield raw[: Tearing.octets]
        if Tearing.octets < len(raw):
            raise Cut


def test_a_large_message_goes_on_where_it_was_cut(archivist: Archivist):
    """A line that breaks every 1.5 MB cannot keep a 7 MB message away: each try gains, none counts as a failure."""
    large = letter("large", 7_000_000)
    Tearing.octets = 0
    with Pop3Server(ann(LETTERS[0], large, LETTERS[1]), session=Tearing) as server:
        done = archivist.run(server)
    assert done.failure is None
    assert archivist.stored() == hashes(LETTERS[0], large, LETTERS[1])
    assert archivist.steps() == {"archived": 3}
    assert archivist.ask("select count(*) from ops.download_piece") == [0]


def test_a_large_message_that_changed_is_begun_anew(archivist: Archivist):
    """The held pieces are compared; where the bytes differ the ledger says so and the new ones count."""
    one, other = letter("large", 5_000_000), letter("large", 2_500_000) + letter("other", 2_500_000)
    Tearing.octets = 2_000_000
    mailbox = ann(one)
    with Pop3Server(mailbox, session=Tearing) as server:
        first = mailbox["ann"].messages()[0].uidl

        class Changing(Session):
            """The same UIDL, other bytes."""

            def retrieve(self, number: int) -> Reply:
                """As if the server had rewritten the message."""
                return body("", wire(other))

        class TearingOnce(Tearing):
            """Drops the line, then is another server."""

            def retrieve(self, number: int) -> Reply:
                """The beginning of the message."""
                server.session = Changing
                return super().retrieve(number)

        server.session = TearingOnce
        assert archivist.run(server).failure is None
        assert mailbox["ann"].messages() == [Message(first, wire(one))]
    assert archivist.stored() == hashes(other)
    assert archivist.steps() == {"restarted": 1, "archived": 1}


def with_file(subject: str, content: bytes, after: bytes = b"") -> bytes:
    """A message with an attachment."""
    return (
        f"From: ann@example.org\nSubject: {subject}\nContent-Type: multipart/mixed; boundary=b\n\n".encode()
        + b"--b\nContent-Type: text/plain\n\nsee file\n"
        + b"--b\nContent-Type: application/pdf; name=large.pdf\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(content) + after + b"--b--\n"
    )  # fmt: skip


def test_a_large_attachment_is_stored_once_and_decoded(archivist: Archivist):
    """Two messages with one file: one blob, both messages back byte for byte, their rows as if read whole."""
    content = random.Random(1).randbytes(3_000_000)
    raws = [with_file("one", content), with_file("two", content), with_file("damaged", content, b"!!!\n")]
    with Pop3Server(ann(*raws)) as server:
        assert archivist.run(server).archived == 3
    assert archivist.ask("select octets from archive.blob") == [3_000_000]
    assert archivist.ask("select count(*) from archive.segment where blob_id is not null") == [3]
    with archivist.engine.connect() as connection:
        found = {b"".join(message.pieces()): message.fault for message in stored.messages(connection)}
    assert found == dict.fromkeys(map(wire, raws))
    whole = hashlib.sha256(content).hexdigest()
    assert archivist.ask("select sha256 from mart.attachment where octets = 3000000") == [whole] * 3
    assert set(archivist.ask("select trim(body, E'\\n') from archive.reading")) == {"see file"}


def test_a_torn_large_attachment_goes_on_in_the_middle_of_its_blob(archivist: Archivist):
    """Decoded pieces are compared like any others; the attachment is one blob in the end."""
    raw = with_file("torn", random.Random(2).randbytes(4_000_000))
    Tearing.octets = 0
    with Pop3Server(ann(raw), session=Tearing) as server:
        assert archivist.run(server).failure is None
    assert archivist.stored() == hashes(raw)
    assert archivist.steps() == {"archived": 1}
    assert archivist.ask("select octets from archive.blob") == [4_000_000]
    with archivist.engine.connect() as connection:
        assert [message.fault for message in rehashed(connection)] == [None]
        assert not any(list(found) for _, found in books(connection))
