"""A seeded corpus of hostile PDUs, written to `hostile_pdus.csv` by `python -m tests.gateway.hostile`.

Lengths that lie, strings without end, bodies of 64 KiB, TLVs over one another, bodies on refusals, binds within a session, octets
changed at random. Each row is what a peer might send once it is bound (`bound`) or as its first octets (`open`).
"""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

from relais.wire.smpp import codec, commands, pdus, tlvs

FILE = Path(__file__).with_name("hostile_pdus.csv")
SEED, MUTANTS_COUNT = 20_261_126, 150
LONG_OCTETS_SHOWN = 200  # longer rows say their tail as "*count", repeated from the last octet

SOUND = pdus.SubmitSm(sequence=5, source="Monsters", destination="34600123456", short_message=b"Hello")


def made() -> Iterator[tuple[str, str, bytes]]:
    """(where, what, octets)."""
    frame = codec.encode(SOUND)
    yield "open", "no SMPP at all", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "open", "a TLS client", bytes.fromhex("160301020001000001fc0303") + b"\0" * 64
    yield "open", "a message before the bind", frame
    yield "open", "a bind without ends", _framed(commands.BIND_TRANSCEIVER, b"A" * 400)
    yield "open", "a bind of 64 KiB", _framed(commands.BIND_TRANSCEIVER, b"A" * 66_000)
    yield "open", "a bind cut off in its header", codec.encode(pdus.BindTransceiver(sequence=1))[:9]
    for length in (0, 1, 15, 0x7FFFFFFF, 0xFFFFFFFF, commands.PDU_OCTETS_MAX + 1):
        yield "bound", f"command_length {length}", length.to_bytes(4, "big") + frame[4:]
    yield "bound", "command_length one short", (len(frame) - 1).to_bytes(4, "big") + frame[4:]
    yield "bound", "command_length one long", (len(frame) + 1).to_bytes(4, "big") + frame[4:] + b"\0"
    yield "bound", "sm_length beyond the end", frame[:-6] + b"\xff" + frame[-5:]
    yield "bound", "sm_length short of the end", frame[:-6] + b"\x01" + frame[-5:]
    yield "bound", "no string ends", _framed(commands.SUBMIT_SM, b"\x41" * 300)
    yield "bound", "an empty body", _framed(commands.SUBMIT_SM, b"")
    yield "bound", "64 KiB of message_payload", _with(b"", tlvs.pack_tlvs([(tlvs.MESSAGE_PAYLOAD, b"A" * 65_000)]))
    yield "bound", "64 KiB of NUL", _framed(commands.DATA_SM, b"\0" * 65_000)
    yield "bound", "a TLV longer than the PDU", _with(b"x", b"\x04\x24\xff\xff")
    yield "bound", "a TLV cut in its head", _with(b"x", b"\x04\x24\x00")
    yield "bound", "five thousand TLVs", _with(b"x", b"\x14\x00\x00\x00" * 5_000)
    yield (
        "bound",
        "message_payload twice",
        _with(b"", tlvs.pack_tlvs([(tlvs.MESSAGE_PAYLOAD, b"a"), (tlvs.MESSAGE_PAYLOAD, b"b")])),
    )
    yield (
        "bound",
        "sar numbers of three octets",
        _with(b"x", bytes.fromhex("020c0003000001020e0003000002020f0003000009")),
    )
    yield "bound", "a header longer than the message", _with(b"\xff\x00\x03\x01\x02\x01", b"", esm_class=0x40)
    yield "bound", "a header of elements over one another", _with(b"\x05\x00\xff\x00\xff\x00hello", b"", esm_class=0x40)
    yield "bound", "a header and nothing", _with(b"\x05\x00\x03\x01\x02\x01", b"", esm_class=0x40)
    yield "bound", "a shift table nobody has", _with(b"\x03\x24\x01\xffhello", b"", esm_class=0x40)
    yield "bound", "254 destinations that are none", _framed(commands.SUBMIT_MULTI, b"\0\0\0\0\xfe" + b"\x03" * 254)
    yield "bound", "destinations without end", _framed(commands.SUBMIT_MULTI, b"\0\0\0\0\xfe" + b"\x01\x01\x01A" * 200)
    yield "bound", "no destination", _framed(commands.SUBMIT_MULTI, b"\0\0\0\0\0" + b"\0" * 12)
    yield "bound", "an id of a thousand characters", _framed(commands.QUERY_SM, b"1" * 1_000 + b"\0\0\0\0")
    yield "bound", "an id that is no id", _framed(commands.CANCEL_SM, b"\0../../etc\0\0\0\0\0\0\0")
    yield "bound", "a replacement of nothing", _framed(commands.REPLACE_SM, b"\0" * 9)
    yield "bound", "an unknown command", _framed(0x00000111, b"x" * 20)
    yield "bound", "an unknown response", _framed(0x80000111, b"")
    yield "bound", "a response to nothing, with a body on its refusal", _framed(0x80000005, b"garbage", status=8)
    yield (
        "bound",
        "a second bind",
        codec.encode(pdus.BindTransceiver(sequence=9, system_id="monsters", password="smpp-tm1")),
    )
    yield "bound", "a receipt from a client", codec.encode(pdus.DeliverSm(sequence=9, esm_class=4))
    yield "bound", "sequence number 0", codec.encode(pdus.SubmitSm(0, 0, b"", source="Monsters", destination="1"))
    yield "bound", "the same number a hundred times", codec.encode(pdus.EnquireLink(7)) * 100
    yield "bound", "text that is Latin-1 in names", _with(b"x", b"", source_octets=b"M\xf6nster\xff")
    yield from _out_of_place(frame)
    chance = random.Random(SEED)
    for number in range(MUTANTS_COUNT):
        mutant = bytearray(frame if number % 3 else codec.encode(pdus.SubmitMulti(
            sequence=5, source="Monsters", destinations=(pdus.Address(1, 1, "34600123456"), "list"), short_message=b"Hello",
        )))  # fmt: skip
        for _ in range(chance.randint(1, 4)):
            mutant[chance.randrange(4, len(mutant))] = chance.randrange(256)
        yield "bound", f"mutant {number}", bytes(mutant)


def _out_of_place(frame: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Bodies where none belongs, and one thing within another."""
    yield (
        "bound",
        "a body on a refusal of 64 KiB",
        _framed(commands.SUBMIT_SM | commands.RESPONSE_BIT, b"A" * 65_000, status=0x58),
    )
    yield "bound", "a body on a generic_nack", _framed(commands.GENERIC_NACK, b"why" * 9, status=3)
    yield "bound", "an id without end in a response", _framed(commands.DELIVER_SM | commands.RESPONSE_BIT, b"1" * 400)
    yield (
        "bound",
        "TLVs over one another",
        _with(b"x", bytes.fromhex("02040004020400020001") + b"\x02\x05\x00\x08\x02\x06"),
    )
    yield "bound", "an enquire_link with a body", _framed(commands.ENQUIRE_LINK, b"x" * 65_000)
    yield "bound", "an unbind between the halves of a message", frame[:20] + codec.encode(pdus.Unbind(6)) + frame[20:]
    yield (
        "bound",
        "binds of every kind at once",
        b"".join(
            codec.encode(kind(sequence=n, system_id="monsters"))
            for n, kind in enumerate((pdus.BindReceiver, pdus.BindTransmitter, pdus.BindTransceiver), 7)
        ),
    )
    yield (
        "open",
        "a bind and messages in one piece",
        codec.encode(pdus.BindTransceiver(1, system_id="monsters")) + frame * 50,
    )


def _framed(command: int, body: bytes, status: int = 0) -> bytes:
    return codec.HEADER.pack(16 + len(body), command, status, 5) + body


def _with(message: bytes, parameters: bytes, esm_class: int = 0, source_octets: bytes = b"Monsters") -> bytes:
    """A submit_sm written by hand: the codec would not."""
    body = b"\0\x05\0" + source_octets + b"\0\x01\x0134600123456\0" + bytes((esm_class, 0, 0)) + b"\0\0\0\0\0\0"
    return _framed(commands.SUBMIT_SM, body + bytes((len(message),)) + message + parameters)


def corpus() -> list[tuple[str, str, bytes]]:
    """The rows of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return [(row["where"], row["what"], _read(row["hex"])) for row in csv.DictReader(file)]


def _read(text: str) -> bytes:
    head, _, count = text.partition("*")
    octets = bytes.fromhex(head)
    return octets + octets[-1:] * int(count or 0)


def _written(octets: bytes) -> str:
    bare = octets.rstrip(octets[-1:])
    if len(octets) > LONG_OCTETS_SHOWN and len(octets) - len(bare) > LONG_OCTETS_SHOWN:
        return f"{(bare + octets[-1:]).hex()}*{len(octets) - len(bare) - 1}"
    return octets.hex()


def main() -> None:
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("where", "what", "hex"))
        writer.writerows((where, what, _written(octets)) for where, what, octets in made())


if __name__ == "__main__":
    main()
