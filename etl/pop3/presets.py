"""What we know of providers: where their servers are, and where they differ from the RFCs.

Values only. A quirk is here if some code acts on it; what is merely good to know stands as a comment.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Quirks:
    """Where a server differs.

    messages_per_session: it shows at most about so many, so sessions go on until one brings nothing new;
    None: it shows all.
    keeping_prefix: a username that begins so sees mail that DELE does not remove; None: no such thing.
    tokens_only: it takes OAuth tokens and no password.
    """

    messages_per_session: int | None = None
    keeping_prefix: str | None = None
    tokens_only: bool = False


NO_QUIRKS = Quirks()


@dataclass(frozen=True)
class Preset:
    """A provider's server, for `preset = "…"`. oauth_scope: what a client-credentials token must be for."""

    host: str
    port: int = 995
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    oauth_scope: str | None = None
    quirks: Quirks = NO_QUIRKS


PRESETS = {
    # QUIRK(gmail): a session lists about the 250 oldest messages that were not retrieved before; RETR and then
    # QUIT, also without DELE, hides a message from later sessions, a dropped line does not. With "recent:"
    # before the username all of the last 30 days is listed, hidden or not, and DELE is without effect.
    # PIPELINING stands in CAPA after the login only (we ask again there). A password must be an app password.
    "gmail": Preset("pop.gmail.com", quirks=Quirks(messages_per_session=250, keeping_prefix="recent:")),
    # QUIRK(microsoft): basic authentication is switched off since 2022; client credentials need the application
    # permission POP.AccessAsApp and a service principal with rights on the mailbox, and every failure of those
    # reads as a bad password. A token is taken in two lines only (auth.COMMAND_OCTETS_MAX).
    "microsoft365": Preset(
        "outlook.office365.com",
        oauth_scope="https://outlook.office365.com/.default",
        quirks=Quirks(tokens_only=True),
    ),
    # App password.
    "yahoo": Preset("pop.mail.yahoo.com"),
    # QQ and 163 take an authorization code, made in the settings of their web mail, as the password.
    "qq": Preset("pop.qq.com"),
    "163": Preset("pop.163.com"),
    # Mailboxes at aliyun.com; those of companies are at pop.qiye.aliyun.com.
    "aliyun": Preset("pop.aliyun.com"),
    # Personal mailboxes; those of organisations are at poppro.zoho.com.
    "zoho": Preset("pop.zoho.com"),
    "yandex": Preset("pop.yandex.com"),
    # gmx.net has the host pop.gmx.net.
    "gmx": Preset("pop.gmx.com"),
    # App password; popvault needs a plan with POP.
    "fastmail": Preset("pop.fastmail.com"),
}
