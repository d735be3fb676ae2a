"""What popvault is measured against: the script that anybody would write first.

poplib, mail-parser and SQLAlchemy, a transaction a message: `python -m tests.bench.plain PORT USER URL`.
"""

import logging
import poplib
import sys

from mailparser import MailParser
from sqlalchemy import JSON, Column, Integer, LargeBinary, MetaData, Table, Text, create_engine, insert

from etl.archive.rows import compressed
from etl.mime.rows import clean

METADATA = MetaData()
MESSAGE = Table(
    "plain_message", METADATA,
    Column("id", Integer, primary_key=True), Column("raw", LargeBinary), Column("subject", Text),
    Column("sender", JSON), Column("recipients", JSON), Column("hops", JSON), Column("body", Text),
)  # fmt: skip
ATTACHMENT = Table(
    "plain_attachment", METADATA,
    Column("id", Integer, primary_key=True), Column("message", Integer), Column("filename", Text), Column("type", Text),
)  # fmt: skip


def main() -> None:
    """Archive one mailbox."""
    logging.disable(logging.CRITICAL)
    port, user, url = sys.argv[1:]
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    METADATA.create_all(engine)
    poplib._MAXLINE = 1 << 30  # type: ignore[attr-defined]
    client = poplib.POP3("127.0.0.1", int(port))
    client.user(user)
    client.pass_("secret")
    for number in range(1, client.stat()[0] + 1):
        raw = b"\r\n".join(client.retr(number)[1])
        with engine.begin() as connection:
            try:
                mail = MailParser.from_bytes(raw)
                read = {
                    "subject": clean(mail.subject), "sender": mail.from_, "recipients": mail.to,
                    "hops": [hop.get("from") for hop in mail.received], "body": clean(mail.body),
                }  # fmt: skip
                files = mail.attachments
            except Exception:  # it raises on some real mail, and this script shrugs
                read, files = {}, []
            result = connection.execute(insert(MESSAGE).values(raw=compressed(raw)[1], **read))
            for file in files:
                values = {"filename": file["filename"], "type": file["mail_content_type"]}
                connection.execute(insert(ATTACHMENT).values(message=result.inserted_primary_key[0], **values))
    client.quit()


if __name__ == "__main__":
    main()
