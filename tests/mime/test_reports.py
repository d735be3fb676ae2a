"""Reports of delivery, reading and abuse: a row for each recipient."""

import base64

from etl.mime.reading import read
from etl.mime.rows import Report
from tests.mime.mail import mail, multipart

TEXT = mail("Content-Type: text/plain", body=b"It did not work.\r\n")
RETURNED = mail("Content-Type: message/rfc822", body=mail("Subject: hello", "Message-ID: <sent@example.org>"))
STATUS = (
    b"Reporting-MTA: dns; mx.example.org\r\nArrival-Date: Tue, 3 Mar 2026 09:30:00 +0000\r\n"
    b"\r\n"
    b"Original-Recipient: rfc822; ann@example.net\r\nFinal-Recipient: RFC822; <ann@mail.example.net>\r\n"
    b"Action: failed\r\nStatus: 5.1.1 (unknown mailbox)\r\nRemote-MTA: dns; mail.example.net\r\n"
    b"Diagnostic-Code: smtp; 550 5.1.1\r\n  no such user\r\n"
    b"\r\n"
    b"Final-Recipient: rfc822; bob@example.net\r\nAction: Delayed\r\nStatus: 4.2.2\r\n"
)


def report(status: bytes, *more: bytes, subtype: str = "delivery-status", headers: tuple[str, ...] = ()) -> bytes:
    """A report with this machine-readable part."""
    part = mail(f"Content-Type: message/{subtype}", *headers, body=status)
    return multipart("report", TEXT, part, *more, parameters=f"; report-type={subtype}")


def test_each_recipient_of_a_bounce_is_a_row():
    """Who, what, why, by whose word, and about which mail, whose id is in what was returned."""
    assert read(report(STATUS, RETURNED)).reports == [
        Report(
            path="1.2",
            kind="delivery",
            final_recipient="ann@mail.example.net",
            original_recipient="ann@example.net",
            action="failed",
            status="5.1.1",
            diagnostic="550 5.1.1 no such user",
            reporter="mx.example.org",
            remote_host="mail.example.net",
            original_message_id="<sent@example.org>",
        ),
        Report(
            path="1.2",
            kind="delivery",
            final_recipient="bob@example.net",
            original_recipient=None,
            action="delayed",
            status="4.2.2",
            diagnostic=None,
            reporter="mx.example.org",
            remote_host=None,
            original_message_id="<sent@example.org>",
        ),
    ]


def test_headers_alone_tell_the_original_too():
    """text/rfc822-headers instead of the mail."""
    headers = mail("Content-Type: text/rfc822-headers", body=b"Message-ID: <sent@example.org>\r\n")
    assert {r.original_message_id for r in read(report(STATUS, headers)).reports} == {"<sent@example.org>"}


def test_the_mail_returned_with_another_report_is_not_taken_for_it():
    """Two bounces forwarded in one mail: each has its own."""
    other = RETURNED.replace(b"<sent@", b"<other@")
    both = multipart("mixed", report(STATUS, RETURNED), report(STATUS, other))
    assert [r.original_message_id for r in read(both).reports] == ["<sent@example.org>"] * 2 + [
        "<other@example.org>"
    ] * 2


def test_statuses_as_they_are_written():
    """Encoded; without a blank line between report and recipient; with blanks before the colons."""
    encoded = base64.encodebytes(STATUS).replace(b"\n", b"\r\n")
    assert len(read(report(encoded, headers=("Content-Transfer-Encoding: base64",))).reports) == 2
    joined = STATUS.replace(b"\r\n\r\n", b"\r\n", 1)
    assert [r.final_recipient for r in read(report(joined)).reports] == ["ann@mail.example.net", "bob@example.net"]
    blanks = b"Reporting-MTA : dns;mx\r\nAction : failed\r\nFinal-Recipient : rfc/822;a@example.org\r\n"
    (row,) = read(report(blanks)).reports
    assert (row.final_recipient, row.action, row.reporter) == ("a@example.org", "failed", "mx")


def test_a_report_of_nobody_is_still_a_row():
    """That something was reported is known, though not of whom; one without fields is a defect."""
    (row,) = read(report(b"Reporting-MTA: dns; mx.example.org\r\n")).reports
    assert (row.final_recipient, row.reporter) == (None, "mx.example.org")
    assert "report" in {d.kind for d in read(report(b"\r\n")).defects}


def test_a_read_receipt():
    """RFC 8098: displayed, and of which mail."""
    block = (
        b"Reporting-UA: pc.example.org; Mailer 1\r\nFinal-Recipient: rfc822; ann@example.org\r\n"
        b"Original-Message-ID: <sent@example.org>\r\n"
        b"Disposition: manual-action/MDN-sent-manually; displayed/error\r\nError: half of it\r\n"
    )
    assert read(report(block, subtype="disposition-notification")).reports == [
        Report(
            path="1.2",
            kind="disposition",
            final_recipient="ann@example.org",
            original_recipient=None,
            action="displayed",
            status=None,
            diagnostic="half of it",
            reporter="pc.example.org; Mailer 1",
            remote_host=None,
            original_message_id="<sent@example.org>",
        )
    ]


def test_a_complaint():
    """RFC 5965: somebody called it spam."""
    block = (
        b"Feedback-Type: abuse\r\nUser-Agent: Feedback/1.0\r\nVersion: 1\r\nSource-IP: 192.0.2.1\r\n"
        b"Original-Rcpt-To: <ann@example.net>\r\n"
    )
    (row,) = read(report(block, RETURNED, subtype="feedback-report")).reports
    assert (row.kind, row.action, row.final_recipient) == ("feedback", "abuse", "ann@example.net")
    assert (row.remote_host, row.original_message_id) == ("192.0.2.1", "<sent@example.org>")
