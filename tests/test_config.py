"""The mailboxes file: what it means, and what is wrong with it in one sentence with its line."""

import sys
from pathlib import Path

import pytest

from etl import config
from etl.errors import Misconfigured
from etl.pop3.presets import PRESETS, Quirks

ANN = '[[mailbox]]\nname = "ann"\nhost = "h"\nusername = "ann"\npassword = { env = "P" }\n'


def read(folder: Path, text: str) -> list[config.Mailbox]:
    """The mailboxes of a file with this text."""
    path = folder / "mailboxes.toml"
    path.write_text(text, encoding="utf-8")
    return config.mailboxes(path)


def test_a_mailbox_in_its_plainest_form(tmp_path: Path):
    """Implicit TLS, its port, the strongest login, nothing deleted."""
    (ann,) = read(tmp_path, ANN)
    assert (ann.port, ann.tls, ann.way, ann.utf8, ann.delete_after_seconds) == (995, "implicit", None, False, None)
    assert (ann.quirks, ann.idle_seconds_max) == (Quirks(), 60.0)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('tsl = "none"', ":6: mailbox 'ann': unknown key 'tsl'; did you mean 'tls'?"),
        ("port = 99999", ":6: mailbox 'ann': port: Input should be less than or equal to 65535"),
        ('delete = "soon"', ':6: mailbox \'ann\': delete: write "never", "at once"'),
        ('preset = "gmial"', ":6: mailbox 'ann': preset: unknown preset 'gmial'; did you mean 'gmail'?"),
        ('auth = "scram"', ":6: mailbox 'ann': auth: Input should be 'scram-sha-256'"),
        ('auth = "xoauth2"', ":1: mailbox 'ann': auth 'xoauth2' does not log in with a password"),
        ('token = { env = "T" }', ":1: mailbox 'ann': write exactly one of password, token and oauth; "
                                  "there is password and token"),
        ("idle_seconds_max = 0", ":6: mailbox 'ann': idle_seconds_max: Input should be greater than 0"),
        ("messages_per_session = 0", ":6: mailbox 'ann': messages_per_session: Input should be greater than or equal"),
        ('[mailbox.oauth]\ntoken_url = "https://t"\nclient = "c"', ":8: mailbox 'ann': unknown key 'oauth.client'; "
                                                                  "did you mean 'client_id'?"),
        ('[mailbox.oauth]\ntoken_url = "http://t/"\nclient_id = "c"\nclient_secret = { env = "S" }',
         ":7: mailbox 'ann': oauth.token_url: write an https URL"),
        ('[[mailbox]]\nname = "bob"\nhost = "h"\nusername = "bob"\npassword = { evn = "P" }',
         ":10: mailbox 'bob': unknown key 'password.evn'; did you mean 'env'?"),
        ('[[mailbox]]\nname = "bob"\nhost = "h"\nusername = "bob"\npassword = { env = "P", file = "f" }',
         ":10: mailbox 'bob': password: write exactly one of"),
        ('[[mailbox]]\nname = "bob"', ":6: mailbox 'bob': host is missing"),
        ('[[mailbox]]\nname = "ann"\nhost = "h"\nusername = "bob"\npassword = { env = "P" }',
         ":7: two mailboxes are named 'ann'; rename one"),
        ("[default]\nport = 1", ":6: unknown key 'default'; did you mean 'defaults'?"),
        ("[defaults]\nprot = 1", ":7: defaults: unknown key 'prot'; did you mean 'port'?"),
        ('[defaults]\ntls = "maybe"', ":7: mailbox 'ann': tls: Input should be 'implicit', 'starttls' or 'none'"),
        ("= 1", "not TOML: Invalid statement (at line 6, column 1)"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_line(tmp_path: Path, line: str, sentence: str):
    """One sentence that names the file, the line, the mailbox and the key."""
    with pytest.raises(Misconfigured) as caught:
        read(tmp_path, ANN + line + "\n")
    assert str(caught.value).startswith(f"{tmp_path}/mailboxes.toml:")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_fills_what_is_needed(tmp_path: Path, name: str):
    """Host, port and TLS that checks the certificate; a username and a secret do for the rest."""
    secret = "token" if PRESETS[name].quirks.tokens_only else "password"
    text = f'[[mailbox]]\nname = "m"\npreset = "{name}"\nusername = "u"\n{secret} = {{ env = "P" }}\n'
    (mailbox,) = read(tmp_path, text)
    preset = PRESETS[name]
    assert (mailbox.host, mailbox.port, mailbox.tls) == (preset.host, 995, "implicit")
    assert mailbox.quirks == preset.quirks


def test_what_is_written_wins_over_the_preset(tmp_path: Path):
    """Key by key; the port follows tls."""
    (mailbox,) = read(
        tmp_path,
        '[[mailbox]]\nname = "m"\npreset = "gmail"\nhost = "127.0.0.1"\ntls = "starttls"\nusername = "u"\n'
        'password = { env = "P" }\nmessages_per_session = 7\n',
    )
    assert (mailbox.host, mailbox.port, mailbox.tls) == ("127.0.0.1", 110, "starttls")
    assert mailbox.quirks.messages_per_session == 7
    assert mailbox.quirks.keeping_prefix == "recent:"


def test_a_mailbox_wins_over_the_defaults(tmp_path: Path):
    """Its preset over their host and tls, its secret over theirs, though of another kind."""
    (mailbox,) = read(
        tmp_path,
        '[defaults]\nhost = "h"\nport = 1\ntls = "none"\npassword = { env = "P" }\n'
        '[[mailbox]]\nname = "m"\npreset = "microsoft365"\nusername = "u"\ntoken = { env = "T" }\n',
    )
    assert (mailbox.host, mailbox.port, mailbox.tls) == ("outlook.office365.com", 995, "implicit")
    assert mailbox.password is None


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ('preset = "microsoft365"\nusername = "u"', "microsoft365 takes no password over POP3; write oauth or token"),
        ('preset = "gmail"\nusername = "recent:u"\ndelete = "at once"', "gmail deletes nothing for a username with"),
    ],
)
def test_what_a_provider_does_not_do_is_told_before_the_login(tmp_path: Path, keys: str, sentence: str):
    """Its own refusal would say less, or nothing at all."""
    with pytest.raises(Misconfigured, match=sentence):
        read(tmp_path, f'[[mailbox]]\nname = "m"\npassword = {{ env = "P" }}\n{keys}\n')


def test_a_secret_comes_from_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Environment, file and command give the same, the last line end left off, UTF-8 kept."""
    monkeypatch.setenv("P", "pässwörd ")
    (tmp_path / "file").write_bytes("pässwörd \r\n".encode())
    command = [sys.executable, "-c", "import sys; sys.stdout.buffer.write('pässwörd \\n'.encode())"]
    ways = (config.Secret(env="P"), config.Secret(file=str(tmp_path / "file")), config.Secret(command=command))
    assert [way.read("x") for way in ways] == ["pässwörd "] * 3


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        (config.Secret(env="NOBODY_SET_THIS"), "here: the environment has no variable NOBODY_SET_THIS; set it"),
        (config.Secret(file="/nowhere/file"), "here: cannot read /nowhere/file: No such file or directory"),
        (config.Secret(command=["/nowhere/command"]), "here: cannot read /nowhere/command: No such file"),
        (config.Secret(command=["false"]), "here: command false failed with exit code 1"),
        (config.Secret(command=["printf", "\\377hidden"]), "here: printf gives no UTF-8"),
    ],
)
def test_a_secret_that_leads_nowhere(secret: config.Secret, sentence: str):
    """One sentence, and nothing of the secret in it."""
    with pytest.raises(Misconfigured) as caught:
        secret.read("here")
    assert str(caught.value).startswith(sentence)
    assert "hidden" not in str(caught.value)


def test_password_or_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Which of the two it is says the key."""
    monkeypatch.setenv("P", "x")
    (ann,) = read(tmp_path, ANN)
    (bob,) = read(tmp_path, ANN.replace("password", "token") + 'auth = "oauthbearer"\n')
    assert (ann.secret(), bob.secret()) == (("x", None), (None, "x"))
    assert bob.way == "OAUTHBEARER"
    monkeypatch.delenv("P")
    with pytest.raises(Misconfigured, match="mailbox 'ann': token: the environment has no variable P"):
        bob.secret()
