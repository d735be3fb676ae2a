"""Random and mutated bytes against the protocol core: `python -m tests.bench.fuzz_pop3 [seconds] [seed]`.

The contract: whatever a server sends, `Protocol` gives events or raises Untrusted, never anything else, and
holds no more than its limits; listings, capabilities and SASL exchanges the same. The mutated bytes are those of
tests/pop3/transcripts. A breach prints the case and its seed.
"""

import random
import sys
import time
import traceback
from collections import Counter

from etl.errors import Failure, Untrusted
from etl.pop3 import auth, refusals, replies
from etl.pop3.auth import Credential, Way
from etl.pop3.framing import LINE_BYTES_MAX
from etl.pop3.protocol import NEXT, RESPONSE, Chunk, Command, Protocol, Reply, State
from tests.pop3 import replay

SASL: tuple[Way, ...] = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2")
PIECES = (
    b"+OK\r\n", b"-ERR\r\n", b"+ \r\n", b"+\r\n", b".\r\n", b"..\r\n", b"\r\n", b"\r", b"\n", b".", b"\0", b"\xff",
    b"+OK 1 9\r\n", b"-ERR [IN-USE] x\r\n", b"1 a\r\n", b"1 9\r\n", b"9" * 20 + b" 1\r\n", b"+ cj14LHM9eA==\r\n",
)  # fmt: skip


def server_lines() -> list[bytes]:
    """What the servers of the transcripts say."""
    texts = (replay.read(path.stem) for path in replay.TRANSCRIPTS.glob("*.txt"))
    return [line[2:].encode() + b"\r\n" for text in texts for line in text.splitlines() if line.startswith("< ")]


def mutated(dice: random.Random, data: bytes) -> bytes:
    """The bytes with some of them flipped, cut out, doubled or added."""
    wild = bytearray(data)
    for _ in range(dice.choice((0, 0, 1, 2, 8))):
        place = dice.randrange(len(wild) + 1)
        match dice.randrange(4):
            case 0:
                wild[place:place] = dice.randbytes(dice.randrange(4))
            case 1:
                del wild[place : place + dice.randrange(4)]
            case 2:
                wild[place:place] = wild[place : place + dice.randrange(40)]
            case _:
                wild[place : place + 1] = bytes([dice.randrange(256)])
    return bytes(wild)


def wild(dice: random.Random, lines: list[bytes]) -> bytes:
    """The next thing that the server says."""
    match dice.randrange(5):
        case 0:
            return dice.randbytes(dice.randrange(60))
        case 1:
            return b"".join(dice.choices(PIECES, k=dice.randrange(6)))
        case 2 if dice.random() < 0.001:
            return dice.randbytes(1) * (LINE_BYTES_MAX + 10)
        case _:
            return mutated(dice, b"".join(dice.choices(lines, k=dice.randrange(1, 4))))


def converse(dice: random.Random, lines: list[bytes]) -> str:
    """One conversation of any commands in any order; how it ended."""
    protocol = Protocol()
    verbs = sorted({verb for _, verb in NEXT if verb})
    try:
        if dice.random() < 0.9:
            protocol.receive(b"+OK ready\r\n")
        if protocol.state is State.AUTHORIZATION and dice.random() < 0.5:
            protocol.send(Command("PASS", b"x"))
            protocol.receive(b"+OK\r\n")
        for _ in range(dice.randrange(30)):
            fitting = [verb for state, verb in NEXT if state is protocol.state and verb] or verbs
            verb = dice.choice(fitting if dice.random() < 0.9 else verbs)
            try:
                protocol.send(Command(verb, dice.choice((b"", b"1", b"PLAIN eA==")), 1))
            except ValueError:
                continue
            said = wild(dice, lines)
            cut = dice.choice((1, 7, len(said) or 1))
            for start in range(0, len(said), cut):
                for event in protocol.receive(said[start : start + cut]):
                    judge(event, protocol)
    except Untrusted:
        if protocol.state is not State.BROKEN:
            return "untrusted in a listing"
        return "untrusted"
    return protocol.state.value


def judge(event: Reply | Chunk, protocol: Protocol) -> None:
    """What the layers above do with an event."""
    assert repr(event)
    if isinstance(event, Chunk):
        assert event.data or event.last
        return
    if event.challenge is not None:
        assert event.command.verb in ("AUTH", RESPONSE)
        auth.decoded(event.challenge)
    replies.capabilities(event.body)
    refusals.failure("x", event.text, 1.0)
    replies.apop_challenge(event.line)
    if event.command.verb in ("UIDL", "LIST") and event.ok:
        for entry in replies.join_listing(event.body, event.body):
            assert entry.uidl is None or 0 < len(entry.uidl) <= replies.UIDL_BYTES_MAX
            assert entry.octets is None or entry.octets <= replies.OCTETS_MAX


def exchange(dice: random.Random, lines: list[bytes]) -> str:
    """One SASL exchange with a server that says anything; how it ended."""
    begun = auth.exchange(dice.choice(SASL), Credential("ann", "secret"), "host", 110)
    try:
        for _ in range(10):
            said = wild(dice, [*lines, b"r=x,s=eA==,i=4096", b"e=x", b"v=eA==", b'{"status":"401"}'])
            begun.respond(auth.decoded(said))
        return "EXCHANGE WITHOUT END"
    except Failure as failure:
        return f"exchange {type(failure).__name__}"


def main() -> None:
    """Run for so many seconds and print how the cases ended; exit 1 at the first breach."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()
    lines, ends, until = server_lines(), Counter[str](), time.monotonic() + seconds
    while time.monotonic() < until:
        dice = random.Random(seed)
        try:
            ends[(exchange if dice.random() < 0.1 else converse)(dice, lines)] += 1
            assert not ends["EXCHANGE WITHOUT END"]
        except Exception:
            traceback.print_exc()
            sys.exit(f"the contract is broken by seed {seed}")
        seed += 1
    print(f"{sum(ends.values())} cases, the contract holds: {dict(ends.most_common())}")


if __name__ == "__main__":
    main()
