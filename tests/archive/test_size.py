"""What the archive takes up beside the mail it holds."""

import base64
import random

from sqlalchemy import Engine, text

from tests.archive.delivering import deliver
from tests.archive.sizes import sizes

LETTER = b"Subject: minutes %d\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nDear all,\r\n"
FILE = b"--b\r\nContent-Type: application/pdf; name=minutes.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n%s--b--\r\n"


def test_mail_whose_attachments_repeat_takes_less_than_half(engine: Engine):
    """Five files of 60 kB, which nothing compresses, in a hundred messages of two mailboxes."""
    files = [base64.encodebytes(random.Random(n).randbytes(60_000)).replace(b"\n", b"\r\n") for n in range(5)]
    raws = [LETTER % n + FILE % files[n % 5] for n in range(100)]
    deliver(engine, "ann", *raws[:50])
    deliver(engine, "bob", *raws[50:])
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from archive.blob")) == 5
        assert sizes(connection)[0] < sum(map(len, raws)) / 2
