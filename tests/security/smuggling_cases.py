"""Requests whose end two readers could see in two places: the bytes, and what must come of them.

A case knows nothing of who is asked: its marks are put in by who runs it, so the same tables serve for this server and
for a gateway in front of one that records. Where a body is sent, it is often a whole request that would be served if
the body were not taken for one (`SMUGGLED`), and behind every case stands another one (`CANARY`).
"""

from dataclasses import dataclass

TOKEN = "al_security_tests_0123456789abcdefghijklmnopqrstuv"
# Stand in the raw bytes for ids of the same length, which are other ones in every run.
INNER, BEHIND = b"inner000", b"behind00"
HOST = b"Host: al.test\r\n"
BEARER = b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
JSON = b"Content-Type: application/json\r\n"
SEARCH = b"POST /api/v1/knowledge/search HTTP/1.1\r\n"
HEALTH = b"GET /health HTTP/1.1\r\n"
QUERY = b'{"query":"x"}'  # 13 bytes, d in hexadecimal


def creates(mark: bytes) -> bytes:
    body = b'{"id":"%b","name":"n","specialization":"s"}' % mark
    fields = b"X-Request-Id: %b\r\nContent-Length: %d\r\n" % (mark, len(body))
    return b"POST /api/v1/agents HTTP/1.1\r\n" + HOST + BEARER + JSON + fields + b"\r\n" + body


SMUGGLED, CANARY = creates(INNER), creates(BEHIND)


@dataclass(frozen=True)
class Expect:
    """`statuses` of all answers in their order, that to the canary among them; None: one refusal, and the end."""

    statuses: tuple[int, ...] | None = None
    closes: bool = False
    inner: bool = False  # SMUGGLED is a request of its own
    behind: bool = False
    interim: int = 0  # answers of 1xx, at most
    bodiless: tuple[int, ...] = ()  # places of the answers to HEAD


REFUSED = Expect(closes=True)
SWALLOWED = Expect(())  # the end of the request never comes


def served(*statuses: int, **more) -> Expect:
    return Expect((*statuses, 201), behind=True, **more)


def last(*statuses: int, **more) -> Expect:
    """Nothing is read behind it."""
    return Expect(statuses, closes=True, **more)


@dataclass(frozen=True)
class Case:
    name: str
    raw: bytes  # without the canary
    expect: Expect = REFUSED

    def bytes_for(self, inner: bytes, behind: bytes) -> bytes:
        assert len(inner) == len(INNER) and len(behind) == len(BEHIND), "lengths in the bytes would be wrong"
        return (self.raw + CANARY).replace(INNER, inner).replace(BEHIND, behind)


def post(fields: bytes, body: bytes = b"", line: bytes = SEARCH) -> bytes:
    return line + HOST + BEARER + JSON + fields + b"\r\n" + body


def get(fields: bytes = b"", line: bytes = HEALTH, body: bytes = b"") -> bytes:
    return line + HOST + fields + b"\r\n" + body


def length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(body)


def sized(body: bytes, extra: bytes = b"", line: bytes = SEARCH) -> bytes:
    return post(extra + length(body), body, line)


CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST = b"0\r\n\r\n"
CHUNKS = b"d\r\n" + QUERY + b"\r\n" + LAST


def chunked(body: bytes, extra: bytes = b"", line: bytes = SEARCH) -> bytes:
    return post(extra + CHUNKED, body, line)


# ---- what is no trick ----

ORDINARY = [
    Case("a body with a length", sized(QUERY), served(200)),
    Case("no body", get(), served(200)),
    Case("length 0", get(b"Content-Length: 0\r\n"), served(200)),
    Case("length in other case", post(b"CONTENT-length: 13\r\n", QUERY), served(200)),
    Case("length without a space", post(b"Content-Length:13\r\n", QUERY), served(200)),
    Case("length between blanks", post(b"Content-Length: \t 13 \t\r\n", QUERY), served(200)),
    Case("a request is the body", sized(SMUGGLED), served(400)),
    Case("two requests", get() + get(), served(200, 200)),
    Case("a wrong token and a body", sized(QUERY).replace(BEARER, b"Authorization: Bearer x\r\n"), served(401)),
    Case("no such route, and a body", sized(SMUGGLED, line=b"POST /nothing HTTP/1.1\r\n"), served(404)),
    Case("no such method there, and a body", sized(SMUGGLED, line=b"DELETE /health HTTP/1.1\r\n"), served(405)),
    Case("not JSON, and a body", sized(SMUGGLED).replace(JSON, b"Content-Type: text/plain\r\n", 1), served(415)),
    Case("no body is taken there", sized(SMUGGLED, line=HEALTH), served(400)),
]
CHUNKED_ORDINARY = [
    Case("chunks", chunked(CHUNKS), served(200)),
    Case("many chunks", chunked(b"".join(b"1\r\n%c\r\n" % c for c in QUERY) + LAST), served(200)),
    Case("no chunks", chunked(LAST, line=HEALTH), served(200)),
    Case("coding in other case", post(b"tRANSFER-ENCODING: ChUnKeD\r\n", CHUNKS), served(200)),
    Case("coding between blanks", post(b"Transfer-Encoding:\t chunked \t\r\n", CHUNKS), served(200)),
    Case("capital digits", chunked(CHUNKS.replace(b"d\r\n", b"D\r\n", 1)), served(200)),
    Case("zeros before the size", chunked(b"000" + CHUNKS), served(200)),
    Case("zeros for the last size", chunked(CHUNKS.replace(LAST, b"000\r\n\r\n")), served(200)),
    Case("an extension", chunked(CHUNKS.replace(b"d\r\n", b"d;a=b\r\n", 1)), served(200)),
    Case("an extension in quotes", chunked(CHUNKS.replace(b"d\r\n", b'd;a="b c;\\""\r\n', 1)), served(200)),
    Case("an extension of the last size", chunked(CHUNKS.replace(LAST, b"0;a=b\r\n\r\n")), served(200)),
    Case("a trailer", chunked(CHUNKS.replace(LAST, b"0\r\nA: b\r\n\r\n")), served(200)),
    Case("a request is the chunk", chunked(b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n" + LAST), served(400)),
    Case("a request is the trailer's value", chunked(b"0\r\nA: " + SMUGGLED[:4] + b"/\r\n\r\n"), served(400)),
]

# ---- length and coding at once ----

BOTH_BODY = LAST + SMUGGLED
BOTH_LENGTHS = [0, 3, len(LAST), len(QUERY), len(BOTH_BODY), len(BOTH_BODY) + len(CANARY), 10**9]
BOTH = [
    *(Case(f"length {n}, then coding", post(b"Content-Length: %d\r\n" % n + CHUNKED, BOTH_BODY)) for n in BOTH_LENGTHS),
    *(Case(f"coding, then length {n}", post(CHUNKED + b"Content-Length: %d\r\n" % n, BOTH_BODY)) for n in BOTH_LENGTHS),
    Case("length, coding, length", post(length(LAST) + CHUNKED + length(LAST), BOTH_BODY)),
    Case("coding, length, coding", post(CHUNKED + length(LAST) + CHUNKED, BOTH_BODY)),
    Case("both in small letters", post(b"content-length: 5\r\ntransfer-encoding: chunked\r\n", BOTH_BODY)),
    Case("both in capitals", post(b"CONTENT-LENGTH: 5\r\nTRANSFER-ENCODING: CHUNKED\r\n", BOTH_BODY)),
    Case("both in a GET", get(length(LAST) + CHUNKED, body=BOTH_BODY)),
    Case("both in HTTP/1.0", post(length(LAST) + CHUNKED, BOTH_BODY, SEARCH.replace(b"1.1", b"1.0"))),
    Case("both, one of them far away", post(length(LAST) + b"X: y\r\n" * 50 + CHUNKED, BOTH_BODY)),
]

# ---- codings that some take for chunked, and some do not ----

CODINGS = [
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: x-chunked",
    b"Transfer-Encoding: chunke",
    b"Transfer-Encoding: chunkedd",
    b"Transfer-Encoding: chunked-x",
    b"Transfer-Encoding: ch unked",
    b"Transfer-Encoding: chunked chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: gzip",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: deflate, chunked",
    b"Transfer-Encoding: compress",
    b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: , , chunked",
    b"Transfer-Encoding: chunked;",
    b"Transfer-Encoding: chunked;q=1",
    b"Transfer-Encoding: chunked; a=b",
    b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding: 'chunked'",
    b"Transfer-Encoding: (chunked)",
    b"Transfer-Encoding: chunked\x00",
    b"Transfer-Encoding: \x00chunked",
    b"Transfer-Encoding: chu\x00nked",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: chunked\x0b",
    b"Transfer-Encoding: \x0cchunked",
    b"Transfer-Encoding: chunked\x0c",
    b"Transfer-Encoding: \x08chunked",
    b"Transfer-Encoding: \x7fchunked",
    b"Transfer-Encoding: \xa0chunked",
    b"Transfer-Encoding: chunked\xa0",
    b"Transfer-Encoding: \xc2\xa0chunked",
    b"Transfer-Encoding: \xefchunked",
    b"Transfer-Encoding: c\xe2\x80\x8bhunked",
    "Transfer-Encoding: chun\u212aed".encode(),  # the sign for Kelvin, a `k` in small letters
    b"Transfer-Encoding:",
    b"Transfer-Encoding: ",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
    b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding:",
    b"Transfer-Encoding: chunked\r\nTRANSFER-ENCODING: chunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding\t: chunked",
    b"Transfer-Encoding \t : chunked",
    b"Transfer-Encoding\x00: chunked",
    b"Transfer-Encoding\x0b: chunked",
    b"Transfer-Encoding\xa0: chunked",
    b"\xa0Transfer-Encoding: chunked",
    b"\x00Transfer-Encoding: chunked",
    b"Transfer-Encoding",
    b"Transfer-Encoding chunked",
    b"Transfer Encoding: chunked",
    b"Transfer_Encoding: chunked",
    b"TRANSFER_ENCODING: chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding:\r\n\tchunked",
    b"Transfer-Encoding: ch\r\n unked",
    b"Transfer-Encoding: chunked\r\n , identity",
    b"Transfer-Encoding: chunked\r\n ",
    b"Transfer-Encoding: chunked\r\n\t",
    b"X: y\r\n Transfer-Encoding: chunked",
    b"X:\r\n Transfer-Encoding: chunked",
    b"X: y\r\n\tTransfer-Encoding: chunked",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
    b"X: y\r\rTransfer-Encoding: chunked",
    b"X: y\n\rTransfer-Encoding: chunked",
    b"X: y\x00Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\nX: y",
    b"Transfer-Encoding: chunked\rX: y",
    b"Transfer-Encoding\r\n: chunked",
    b"Transfer-Encoding:\n chunked",
    b"Transfer-\r\nEncoding: chunked",
]
# One reader goes by the length and takes the rest for a body, another one by the coding and takes it for a request.
CODING_AND_LENGTH = [Case(repr(line)[2:-1] + " and a length", sized(BOTH_BODY, line + b"\r\n")) for line in CODINGS]
CODING_ALONE = [Case(repr(line)[2:-1] + " alone", post(line + b"\r\n", BOTH_BODY)) for line in CODINGS]
OLD_CODING = [
    Case("coding in HTTP/1.0", chunked(BOTH_BODY, line=SEARCH.replace(b"1.1", b"1.0"))),
    Case(
        "coding in HTTP/1.0, kept alive",
        chunked(BOTH_BODY, b"Connection: keep-alive\r\n", SEARCH.replace(b"1.1", b"1.0")),
    ),
    # Names of their own, so these say nothing about the body.
    Case("X-Transfer-Encoding", sized(QUERY, b"X-Transfer-Encoding: chunked\r\n"), served(200)),
    Case("TE", sized(QUERY, b"TE: chunked, trailers\r\n"), served(200)),
    Case("Content-Encoding in capitals", sized(BOTH_BODY, b"CONTENT-TRANSFER-ENCODING: chunked\r\n"), served(400)),
]

# ---- lengths that are no number, or two ----

LENGTH_VALUES = [
    b"+13",
    b"-13",
    b"-0",
    b"+0",
    b"0x0d",
    b"0xd",
    b"0b1101",
    b"d",
    b"13.0",
    b"13e0",
    b"1e1",
    b"1_3",
    b"1 3",
    b"1\t3",
    b"13;",
    b"13 ;a=b",
    b"13,13",
    b"13, 13",
    b"13,0",
    b"0, 13",
    b"13,",
    b",13",
    b"13,,13",
    b"",
    b" ",
    b"\t",
    b"thirteen",
    b"NaN",
    b"'13'",
    b'"13"',
    b"(13)",
    b"13\x00",
    b"\x0013",
    b"1\x003",
    b"\x0b13",
    b"13\x0b",
    b"13\x0c",
    b"\xa013",
    "\uff11\uff13".encode(),
    "\u0661\u0663".encode(),
    b"18446744073709551629",
    b"340282366920938463463374607431768211469",
    b"-18446744073709551603",
    b"00000000000000000000000013",
    b"13\r\n ",
    b"\r\n 13",
    b"1\r\n 3",
    b"13\r\n\t, 13",
    b"13\nX: y",
    b"13\rX: y",
    b"13\r\nContent-Length: 13",
    b"13\r\nContent-Length: 0",
    b"0\r\nContent-Length: 13",
    b"13\r\ncontent-length: 14",
    b"13\r\nContent-Length: 13\r\nContent-Length: 13",
    b"13\r\nContent-Length:",
    b"13\r\nX: y\r\nCONTENT-LENGTH: +13",
]
LENGTH_LINES = [
    b"Content-Length : 13",
    b"Content-Length\t: 13",
    b"Content-Length\x00: 13",
    b"Content-Length\xa0: 13",
    b"Content Length: 13",
    b"Content_Length: 13",
    b"CONTENT_LENGTH: 13",
    b"Content_Length: 0\r\nContent-Length: 13",
    b"Content-Length: 13\r\nContent_Length: 0",
    b"Content-Length",
    b"Content-Length 13",
    b"X: y\r\n Content-Length: 13",
    b"X: y\nContent-Length: 13",
    b"X: y\rContent-Length: 13",
    b"\x0bContent-Length: 13",
]
LENGTHS = [
    *(Case(repr(one)[2:-1] or "empty", post(b"Content-Length: " + one + b"\r\n", QUERY)) for one in LENGTH_VALUES),
    *(Case(repr(line)[2:-1], post(line + b"\r\n", QUERY)) for line in LENGTH_LINES),
    Case("zeros before", post(b"Content-Length: 0013\r\n", QUERY), served(200)),
    Case("beyond what the route takes", post(b"Content-Length: 9223372036854775807\r\n", QUERY)),
    Case("more by 2^32", post(b"Content-Length: 4294967309\r\n", QUERY)),
]

# ---- bodies where there should be none, and none where there should be ----

MISPLACED = [
    Case("GET with a length", sized(SMUGGLED, line=b"GET /api/v1/agents HTTP/1.1\r\n"), served(400)),
    Case("HEAD with a length", sized(SMUGGLED, line=b"HEAD /health HTTP/1.1\r\n"), served(400, bodiless=(0,))),
    Case("HEAD with chunks", chunked(CHUNKS, line=b"HEAD /health HTTP/1.1\r\n"), served(400, bodiless=(0,))),
    Case("OPTIONS with a length", sized(SMUGGLED, line=b"OPTIONS /health HTTP/1.1\r\n"), served(204)),
    Case("OPTIONS * with a length", sized(SMUGGLED, line=b"OPTIONS * HTTP/1.1\r\n"), served(204)),
    Case("DELETE with a length", sized(SMUGGLED, line=b"DELETE /api/v1/agents/nobody HTTP/1.1\r\n"), served(400)),
    Case("PATCH with a length", sized(SMUGGLED, line=b"PATCH /api/v1/agents/nobody HTTP/1.1\r\n"), served(405)),
    Case("GET with chunks", chunked(CHUNKS, line=HEALTH), served(400)),
    Case(
        "DELETE with a request as chunk",
        chunked(b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n" + LAST, line=b"DELETE /api/v1/agents/no HTTP/1.1\r\n"),
        served(400),
    ),
    Case("GET to no route with chunks", chunked(CHUNKS, line=b"GET /favicon.ico HTTP/1.1\r\n"), served(404)),
    Case("TRACE with a length", sized(SMUGGLED, line=b"TRACE /health HTTP/1.1\r\n")),
    Case("an unknown method with a length", sized(SMUGGLED, line=b"BREW /health HTTP/1.1\r\n")),
    Case("too long for no route", sized(SMUGGLED + b" " * 70_000, line=b"POST /nothing HTTP/1.1\r\n"), last(404)),
    Case("too long for the route", sized(SMUGGLED + b" " * 1_100_000, line=b"POST /api/v1/agents HTTP/1.1\r\n")),
    Case("POST without any length", post(b"", SMUGGLED), served(400, 201, inner=True)),
    Case("length 0 and more behind", post(b"Content-Length: 0\r\n", SMUGGLED), served(400, 201, inner=True)),
    Case("last chunk and more behind", chunked(LAST + SMUGGLED), served(400, 201, inner=True)),
    Case("length beyond the end", post(b"Content-Length: %d\r\n" % (len(CANARY) + 1)), SWALLOWED),
    Case("length of 1 more", post(b"Content-Length: 14\r\n", QUERY), last(400, 501)),  # OST is no method
    Case("chunk beyond the end", chunked(b"%x\r\n" % (len(CANARY) + 3)), SWALLOWED),
    Case("chunk without the last one", chunked(b"d\r\n" + QUERY), REFUSED),
    Case("a head without an end", post(b"X: y\r\n")[:-2], REFUSED),
]

# ---- ends of lines and control characters ----

LINES = [
    Case("LF after the request line", get().replace(b"1.1\r\n", b"1.1\n")),
    Case("CR after the request line", get().replace(b"1.1\r\n", b"1.1\r")),
    Case("LF CR after the request line", get().replace(b"1.1\r\n", b"1.1\n\r")),
    Case("CR CR LF after the request line", get().replace(b"1.1\r\n", b"1.1\r\r\n")),
    Case("LF after a field", get(b"A: b\nC: d\r\n")),
    Case("CR after a field", get(b"A: b\rC: d\r\n")),
    Case("CR CR LF after a field", get(b"A: b\r\r\n")),
    Case("LF for the end", get(b"A: b")[:-2] + b"\n\n"),
    Case("CR LF LF for the end", get(b"A: b")[:-2] + b"\r\n\n"),
    Case("LF CR LF for the end", get(b"A: b")[:-2] + b"\n\r\n"),
    Case("CR CR for the end", get(b"A: b")[:-2] + b"\r\r"),
    Case("CR LF CR for the end", get(b"A: b")[:-2] + b"\r\n\r"),
    Case("LF everywhere", get(b"A: b\r\n").replace(b"\r\n", b"\n")),
    Case("CR everywhere", get(b"A: b\r\n").replace(b"\r\n", b"\r")),
    Case("an empty line before", b"\r\n" + get()),
    Case("empty lines before", b"\r\n\r\n\r\n" + get()),
    Case("LF before", b"\n" + get()),
    Case("a space before", b" " + get()),
    Case("a line of spaces before", b"  \r\n" + get()),
    Case("a space before the first field", get().replace(b"Host", b" Host")),
    Case("a folded field", get(b"A: b\r\n c\r\n")),
    Case("a field folded by a tab", get(b"A: b\r\n\tc\r\n")),
    Case("a folded request", get(b"A: b\r\n " + SMUGGLED)),
    Case("a folded line of nothing", get(b"A: b\r\n \r\n")),
    Case("a field of nothing that is folded", get(b"A:\r\n \r\n")),
    Case("no colon", get(b"ABC\r\n")),
    Case("no name", get(b": b\r\n")),
    Case("a space in a name", get(b"A B: c\r\n")),
    Case("a space behind a name", get(b"A : c\r\n")),
    *(Case(f"{c:#04x} in a name", get(b"A%cB: c\r\n" % c)) for c in (0, 1, 7, 11, 12, 27, 34, 40, 127, 128)),
    *(Case(f"{c:#04x} in a value", get(b"A: b%cc\r\n" % c)) for c in (0, 1, 7, 8, 11, 12, 27, 31, 127)),
    *(Case(f"{c:#04x} in the target", get(line=b"GET /he%calth HTTP/1.1\r\n" % c)) for c in (0, 1, 9, 11, 127)),
    *(Case(f"{c:#04x} in the method", get(line=b"GE%cT /health HTTP/1.1\r\n" % c)) for c in (0, 9, 11, 40, 128)),
    Case("bytes beyond ASCII in a value", get(b"A: \xff\x80\xc3\xa4\r\n"), served(200)),
    Case("bytes beyond ASCII in the target", get(line=b"GET /he\xc3\xa4lth HTTP/1.1\r\n"), served(400)),
]

# ---- chunks ----


def of_size(size: bytes, end: bytes = b"\r\n") -> bytes:
    return chunked(size + end + QUERY + b"\r\n" + LAST + SMUGGLED)


CHUNK_SIZES = [
    b"",
    b"+d",
    b"-d",
    b"-1",
    b"0xd",
    b"0Xd",
    b"\\xd",
    b"xd",
    b"dh",
    b"d.",
    b"d.0",
    b"g",
    b"dg",
    b"d d",
    b"d,d",
    b"d_",
    b" d",
    b"\td",
    b"\x0bd",
    b"\x00d",
    b"d\x00",
    b"d\x0b",
    b"d\xa0",
    b"d ",
    b"d\t",
    b'"d"',
    "\uff44".encode(),
    b"1000000000000000d",
    b"1000000000000000000000000000000d",
    b"fffffffffffffff3",
    b"ffffffffffffffff",
    b"8000000000000000",
    b"7fffffffffffffff",
    b"10000000d",
    b"80000000",
    b"fffffff3",
    b"d;",
    b"d;;a",
    b"d;=",
    b"d;=b",
    b"d;a=",
    b"d;a b",
    b'd;a="',
    b'd;a="b',
    b'd;a="b\\"',
    b"d;a=b=c",
    b"d;a,b",
    b"d;a\nb",
    b'd;a="\n"',
    b'd;a="\r"',
    b'd;a="\x00"',
    b'd;a="\x01"',
    b'd;a="\\\n"',
    b'd;a="\x7f"',
    b"d;\x0ba",
    b"d;a\rb",
    b"d a=b",
]
CHUNK_BODIES = [
    ("LF after the size", b"d\n" + QUERY + b"\r\n" + LAST),
    ("CR after the size", b"d\r" + QUERY + b"\r\n" + LAST),
    ("LF CR after the size", b"d\n\r" + QUERY + b"\r\n" + LAST),
    ("CR CR LF after the size", b"d\r\r\n" + QUERY + b"\r\n" + LAST),
    ("LF after an extension", b"d;a=b\n" + QUERY + b"\r\n" + LAST),
    ("nothing after the data", b"d\r\n" + QUERY + LAST),
    ("LF after the data", b"d\r\n" + QUERY + b"\n" + LAST),
    ("CR after the data", b"d\r\n" + QUERY + b"\r" + LAST),
    ("LF CR after the data", b"d\r\n" + QUERY + b"\n\r" + LAST),
    ("two line ends after the data", b"d\r\n" + QUERY + b"\r\n\r\n" + LAST),
    ("a space after the data", b"d\r\n" + QUERY + b" \r\n" + LAST),
    ("data of 1 more", b"c\r\n" + QUERY + b"\r\n" + LAST),
    ("data of 1 less", b"e\r\n" + QUERY + b"\r\n" + LAST),
    ("data of 2 less", b"f\r\n" + QUERY + b"\r\n" + LAST),
    ("LF after the last size", b"d\r\n" + QUERY + b"\r\n0\n\r\n"),
    ("CR after the last size", b"d\r\n" + QUERY + b"\r\n0\r\r\n"),
    ("a space after the last size", b"d\r\n" + QUERY + b"\r\n0 \r\n\r\n"),
    ("LF for the end", b"d\r\n" + QUERY + b"\r\n0\r\n\n"),
    ("LF LF for the end", b"d\r\n" + QUERY + b"\r\n0\n\n"),
    ("-0 for the last size", b"d\r\n" + QUERY + b"\r\n-0\r\n\r\n"),
    ("0x0 for the last size", b"d\r\n" + QUERY + b"\r\n0x0\r\n\r\n"),
    ("2^64 for the last size", b"d\r\n" + QUERY + b"\r\n10000000000000000\r\n\r\n"),
    ("LF in an extension of the last size", b"d\r\n" + QUERY + b'\r\n0;a="\n"\r\n\r\n'),
    ("an empty size between", b"d\r\n" + QUERY + b"\r\n\r\n0\r\n\r\n"),
    ("no chunk but a request", SMUGGLED),
    ("an endless size", b"0" * 20_000),
    ("an endless extension", b"d;" + b"a" * 20_000),
]
SIZES = [
    *(Case(f"size {size!r}"[:60], of_size(size)) for size in CHUNK_SIZES),
    *(Case(name, chunked(body + SMUGGLED)) for name, body in CHUNK_BODIES),
]

# ---- trailers ----


def trailed(trailer: bytes, fields: bytes = BEARER) -> bytes:
    head = SEARCH + HOST + fields + JSON + CHUNKED + b"\r\n"
    return head + CHUNKS.replace(LAST, b"0\r\n" + trailer + b"\r\n\r\n")


TRAILERS = [
    Case("a token", trailed(BEARER[:-2], fields=b""), served(401)),
    Case("a better token", trailed(BEARER[:-2], b"Authorization: Bearer x\r\n"), served(401)),
    Case("a worse token", trailed(b"Authorization: Bearer x"), served(200)),
    Case("a token as x-api-key", trailed(b"x-api-key: " + TOKEN.encode(), b""), served(401)),
    Case("a Host", trailed(b"Host: evil.test"), served(200)),
    Case("another content type", trailed(b"Content-Type: text/plain"), served(200)),
    Case("a content coding", trailed(b"Content-Encoding: gzip"), served(200)),
    Case("a connection", trailed(b"Connection: close"), served(200)),
    Case("an expectation", trailed(b"Expect: 100-continue"), served(200)),
    Case("an idempotency key", trailed(b"Idempotency-Key: a b"), served(200)),
    Case("a length", trailed(b"Content-Length: %d" % len(CANARY))),
    Case("length 0", trailed(b"Content-Length: 0")),
    Case("an odd length", trailed(b"Content-Length: +5")),
    Case("a coding", trailed(b"Transfer-Encoding: chunked")),
    Case("another coding", trailed(b"Transfer-Encoding: identity")),
    Case("no colon", trailed(b"ABC")),
    Case("no name", trailed(b": b")),
    Case("a space behind the name", trailed(b"A : b")),
    Case("a request", trailed(SMUGGLED)),
    Case("NUL in the value", trailed(b"A: b\x00c")),
    Case("LF after it", trailed(b"A: b\nC: d")),
    Case("CR after it", trailed(b"A: b\rC: d")),
    Case("LF for the end", chunked(b"0\r\nA: b\r\n\n" + SMUGGLED)),
    Case("a hundred of them", trailed(b"\r\n".join(b"A%d: b" % n for n in range(120)))),
    Case("an endless one", trailed(b"A: " + b"b" * 20_000)),
    Case("no Host but there", SEARCH + BEARER + JSON + CHUNKED + b"\r\n0\r\nHost: al.test\r\n\r\n"),
]

# ---- the request line ----

REQUEST_LINES = [
    b"GET /health\r\n",
    b"GET /health \r\n",
    b"GET /health HTTP\r\n",
    b"GET /health HTTP/\r\n",
    b"GET /health HTTP/1\r\n",
    b"GET /health HTTP/1.\r\n",
    b"GET /health HTTP/.1\r\n",
    b"GET /health HTTP/0.9\r\n",
    b"GET /health HTTP/1.2\r\n",
    b"GET /health HTTP/1.10\r\n",
    b"GET /health HTTP/1.01\r\n",
    b"GET /health HTTP/01.1\r\n",
    b"GET /health HTTP/11\r\n",
    b"GET /health HTTP/1,1\r\n",
    b"GET /health HTTP/2\r\n",
    b"GET /health HTTP/2.0\r\n",
    b"GET /health HTTP/3.0\r\n",
    b"GET /health HTTP/9.9\r\n",
    b"GET /health HTTP/-1.1\r\n",
    b"GET /health HTTP /1.1\r\n",
    b"GET /health HTTP/ 1.1\r\n",
    b"GET /health HTTP/1.1 \r\n",
    b"GET /health HTTP/1.1\t\r\n",
    b"GET /health HTTP/1.1 HTTP/1.1\r\n",
    b"GET /health HTTP/1.1 X: y\r\n",
    b"GET /health http/1.1\r\n",
    b"GET /health HTTPS/1.1\r\n",
    b"GET /health ICY/1.1\r\n",
    b"GET  /health HTTP/1.1\r\n",
    b"GET /health  HTTP/1.1\r\n",
    b"GET\t/health HTTP/1.1\r\n",
    b"GET /health\tHTTP/1.1\r\n",
    b"GET\x0b/health HTTP/1.1\r\n",
    b"GET\xa0/health HTTP/1.1\r\n",
    b"GET /a b HTTP/1.1\r\n",
    b"GET /health HTTP/1.1\x00\r\n",
    b"GET HTTP/1.1\r\n",
    b"GET  HTTP/1.1\r\n",
    b"/health HTTP/1.1\r\n",
    b"GET\r\n",
    b"get /health HTTP/1.1\r\n",
    b"Get /health HTTP/1.1\r\n",
    b"GETS /health HTTP/1.1\r\n",
    b"G\x00ET /health HTTP/1.1\r\n",
    b"BREW /health HTTP/1.1\r\n",
    b"TRACE /health HTTP/1.1\r\n",
    b"TRACK /health HTTP/1.1\r\n",
    b"CONNECT al.test:80 HTTP/1.1\r\n",
    b"CONNECT /health HTTP/1.1\r\n",
    b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n",
    b"PRI * HTTP/2.0\r\n",
    b"PRI * HTTP/1.1\r\n",
    b"GET * HTTP/1.1\r\n",
    b"POST * HTTP/1.1\r\n",
    b"GET health HTTP/1.1\r\n",
    b"GET al.test/health HTTP/1.1\r\n",
    b"GET al.test:80 HTTP/1.1\r\n",
    b"GET ?x HTTP/1.1\r\n",
    b"GET #x HTTP/1.1\r\n",
    b"GET \\health HTTP/1.1\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"A" * 20_000 + b" /health HTTP/1.1\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n",
]
LINE_FORMS = [
    *(Case(repr(line[:50])[2:-1], get(line=line)) for line in REQUEST_LINES),
    Case("HTTP/0.9 and nothing else", b"GET /health\r\n\r\n"),
    Case("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
    Case("a method of its own", get(line=b"OPTIONS * HTTP/1.1\r\n"), served(204)),
    Case("two slashes", get(line=b"GET //al.test/health HTTP/1.1\r\n"), served(400)),
    Case("HTTP/1.0", get(line=b"GET /health HTTP/1.0\r\n"), last(200)),
    Case(
        "HTTP/1.0, kept alive",
        get(b"Connection: keep-alive\r\n", b"GET /health HTTP/1.0\r\n"),
        served(200),
    ),
    Case("HTTP/1.0 with a body", sized(SMUGGLED, line=SEARCH.replace(b"1.1", b"1.0")), last(400)),
    Case("HTTP/1.0 without Host", b"GET /health HTTP/1.0\r\n\r\n", last(200)),
]

# ---- whose request it is ----

HOST_LINES = [
    b"",
    b"Host:\r\n",
    b"Host: \r\n",
    b"Host\r\n",
    b"Host : al.test\r\n",
    b" Host: al.test\r\n",
    b"Host: al.test\r\nHost: al.test\r\n",
    b"Host: al.test\r\nHost: evil.test\r\n",
    b"Host: al.test\r\nhost: evil.test\r\n",
    b"Host: al.test\r\nX: y\r\nHOST: al.test\r\n",
    b"Host: al.test\r\nHost:\r\n",
    b"Host: al.test, evil.test\r\n",
    b"Host: al.test evil.test\r\n",
    b"Host: al.test\tevil.test\r\n",
    b"Host: al.test/evil\r\n",
    b"Host: al.test\\evil\r\n",
    b"Host: evil@al.test\r\n",
    b"Host: al.test?x\r\n",
    b"Host: al.test#x\r\n",
    b"Host: http://al.test\r\n",
    b"Host: al.test\x00evil.test\r\n",
    b"Host: al.test\r\n evil.test\r\n",
    b'Host: "al.test"\r\n',
    b"Host: <al.test>\r\n",
    b"Host: \xc3\xa4.test\r\n",
    b"Host: al.test:80:81\r\n",
    b"Host: al.test:evil\r\n",
    b"Host: al.test:-1\r\n",
    b"Host: [::1\r\n",
    b"Host: ::1]\r\n",
    b"Host: [::1]evil.test\r\n",
    b"Host: [al.test]\r\n",
    b"Host: al%zz.test\r\n",
    b"Host: :80\r\n",
    b"Host: [\r\n",
    b"Host: ]\r\n",
]
TARGETS_OF_OTHERS = [
    b"http://evil.test/health",
    b"https://evil.test/health",
    b"http://al.test:81/health",
    b"http://al.test.evil.test/health",
    b"http://al.test@evil.test/health",
    b"http://evil.test@al.test/health",
    b"http://al.test\\@evil.test/health",
    b"http:///health",
    b"http:/health",
    b"http:health",
    b"http://",
    b"ftp://al.test/health",
    b"file:///health",
    b"ws://al.test/health",
    b"javascript:alert(1)",
    b"al.test:80/health",
]
HOSTS = [
    *(Case(repr(line.removesuffix(b"\r\n"))[2:-1] or "none", HEALTH + line + b"\r\n") for line in HOST_LINES),
    *(Case(repr(target)[2:-1], get(line=b"GET " + target + b" HTTP/1.1\r\n")) for target in TARGETS_OF_OTHERS),
    Case("two in HTTP/1.0", b"GET /health HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
    Case("an empty one as a URL in HTTP/1.0", b"GET http:///health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    Case("the same as a URL", get(line=b"GET http://al.test/health HTTP/1.1\r\n"), served(200)),
    Case("the same as a URL in capitals", get(line=b"GET HTTP://AL.TEST/health HTTP/1.1\r\n"), served(200)),
    Case("an address and a port", HEALTH + b"Host: [::1]:8000\r\n\r\n", served(200)),
    Case("a forwarded one", get(b"X-Forwarded-Host: evil.test\r\nForwarded: host=evil.test\r\n"), served(200)),
    Case("another path in a field", get(b"X-Original-URL: /api/v1/agents\r\nX-Rewrite-URL: /metrics\r\n"), served(200)),
    Case("another method in a field", get(b"X-HTTP-Method-Override: DELETE\r\n"), served(200)),
]

# ---- other protocols, expectations, and what stands for the connection ----

CONTINUE = b"Expect: 100-continue\r\n"
CONNECTION = [
    Case(
        "h2c",
        get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"),
        served(200),
    ),
    Case("h2c with a body", sized(SMUGGLED, b"Connection: Upgrade\r\nUpgrade: h2c\r\n"), served(400)),
    Case("h2c without Connection", get(b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), served(200)),
    Case("TLS", get(b"Connection: Upgrade\r\nUpgrade: TLS/1.0, HTTP/1.1\r\n"), served(200)),
    Case(
        "WebSocket where there is none",
        get(
            b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        ),
        last(200),
    ),
    Case("close", get(b"Connection: close\r\n"), last(200)),
    Case("close in capitals", get(b"CONNECTION: CLOSE\r\n"), last(200)),
    Case("close among others", get(b"Connection: x, close\r\n"), last(200)),
    Case("close and keep-alive", get(b"Connection: keep-alive, close\r\n"), last(200)),
    Case("close in a field of its own", get(b"Connection: keep-alive\r\nConnection: close\r\n"), last(200)),
    Case("close with a body", sized(QUERY, b"Connection: close\r\n"), last(200)),
    Case("close after a refused body", sized(SMUGGLED, b"Connection: close\r\n"), last(400)),
    Case("the length is the connection's", sized(QUERY, b"Connection: Content-Length\r\n"), served(200)),
    Case("the Host is the connection's", get(b"Connection: Host\r\n"), served(200)),
    Case("the token is the connection's", sized(QUERY, b"Connection: Authorization\r\n"), served(200)),
    Case("the coding is the connection's", chunked(CHUNKS, b"Connection: Transfer-Encoding\r\n"), served(200)),
    Case("a connection that is no list", get(b"Connection: a b;;\r\n")),
    Case("Keep-Alive", get(b"Keep-Alive: timeout=1, max=1\r\n"), served(200)),
    Case("two tokens, the right one first", sized(QUERY, b"Authorization: Bearer x\r\n"), served(401)),
    Case("two tokens, the wrong one as x-api-key", sized(QUERY, b"x-api-key: x\r\n"), served(401)),
    Case("twice the same token", sized(QUERY, BEARER), served(401)),
    Case("CONNECT with a body", sized(SMUGGLED, line=b"CONNECT al.test:80 HTTP/1.1\r\n")),
    Case("continue, and the body is here", sized(QUERY, CONTINUE), served(200, interim=1)),
    Case("continue in capitals", sized(QUERY, b"EXPECT: 100-CONTINUE\r\n"), served(200, interim=1)),
    Case("continue with chunks", chunked(CHUNKS, CONTINUE), served(200, interim=1)),
    Case("continue with a request as body", sized(SMUGGLED, CONTINUE), served(400, interim=1)),
    Case("continue without a body", get(CONTINUE), served(200)),
    Case("continue with length 0", post(CONTINUE + b"Content-Length: 0\r\n"), served(400)),
    Case("continue without any length", post(CONTINUE, SMUGGLED), served(400, 201, inner=True)),
    Case("continue for no route", sized(SMUGGLED, CONTINUE, b"POST /nothing HTTP/1.1\r\n"), served(404, interim=1)),
    Case("continue for too much", post(CONTINUE + b"Content-Length: 99999999\r\n", SMUGGLED)),
    Case("continue without the token", sized(QUERY, CONTINUE).replace(BEARER, b""), served(401, interim=1)),
    Case("continue twice in a list", sized(QUERY, b"Expect: 100-continue, 100-continue\r\n")),
    Case("continue and more", sized(QUERY, b"Expect: 100-continue;a=b\r\n")),
    Case("something else expected", sized(SMUGGLED, b"Expect: cake\r\n")),
    Case("nothing expected", sized(SMUGGLED, b"Expect:\r\n")),
    Case("101 expected", sized(SMUGGLED, b"Expect: 101-switching\r\n")),
    Case("continue in HTTP/1.0", sized(QUERY, CONTINUE, SEARCH.replace(b"1.1", b"1.0")), last(200)),
    Case("an odd twin of the token", get(b"Authorization_: Bearer x\r\n"), served(200)),
    Case("an odd twin of the Host", get(b"Host_: evil.test\r\nHTTP_HOST: evil.test\r\n"), served(200)),
]

TABLES = {
    "ordinary": ORDINARY,
    "ordinary chunks": CHUNKED_ORDINARY,
    "length and coding": BOTH,
    "odd coding and length": CODING_AND_LENGTH,
    "odd coding alone": CODING_ALONE,
    "other codings": OLD_CODING,
    "lengths": LENGTHS,
    "misplaced bodies": MISPLACED,
    "ends of lines": LINES,
    "chunks": SIZES,
    "trailers": TRAILERS,
    "request lines": LINE_FORMS,
    "hosts": HOSTS,
    "connection": CONNECTION,
}
