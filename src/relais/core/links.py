"""Links in texts, as phones find and browsers open them, and lists of hosts that they may lead to.

A link is an address with a scheme, or a bare host name under a top-level domain (`example.com/x`); an address of mail is none.
Hosts are compared in ASCII (RFC 3492): letters of other alphabets that look alike are other hosts. Pure.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote

_COUNTRY_DOMAINS: Final = """
ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz ca
cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et eu fi fj fk fm fo fr ga
gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg
kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr ms mt mu mv
mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb
sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz ta tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug
uk um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
"""
_GENERIC_DOMAINS: Final = """
com net org info biz name pro mobi int gov edu mil app dev page link click live online site shop store xyz top club
vip win bid loan work today life world news blog cloud tech space fun icu buzz cyou rest bar bond sbs cfd lol monster
quest zip mov bank money finance help support digital agency email company group center international travel health
"""
_OTHER_ALPHABETS: Final = (
    "p1ai j1amh 90ais 90a3ac 90ae e1a4c 80ao21a p1acf 80asehdb 80aswg d1acj3b 80adxhks fiqs8s 55qx5d"
)
DOMAINS: Final = frozenset(
    (*_COUNTRY_DOMAINS.split(), *_GENERIC_DOMAINS.split(), *(f"xn--{each}" for each in _OTHER_ALPHABETS.split()))
)
_UNSEEN: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_DOTS: Final = str.maketrans("\u3002\uff61", "..")
_WITH_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:/{2,}([^\s/?#]+)")
_BARE: Final = re.compile(r"(?<![\w@.%+-])((?:[\w-]+\.)+([\w-]+))\.?(?=(:[0-9]+)?(/)?)(?![\w@-])")
_QUAD: Final = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
_OUTSIDE: Final = "'\"<>()[]{},;!.\u2026\u201d\u00bb"


def hosts_in(text: str) -> Iterator[str]:
    """The hosts that links of the text lead to, in ASCII; one may come twice."""
    if "." not in text and ":" not in text and text.isascii():
        return
    plain = unicodedata.normalize("NFKC", text.translate(_UNSEEN)).translate(_DOTS).lower().replace("\\", "/")
    for found in _WITH_SCHEME.finditer(plain):
        authority = unquote(found[1]).rpartition("@")[2]
        host = authority.partition("]")[0] + "]" if authority.startswith("[") else authority.partition(":")[0]
        yield in_ascii(host.strip(_OUTSIDE) if not host.startswith("[") else host)
    for found in _BARE.finditer(_WITH_SCHEME.sub(" ", plain)):
        host, domain, path = found[1], found[2], found[4]
        if in_ascii(domain) in DOMAINS or domain.startswith("xn--"):
            known = True
        else:
            known = bool(path) and ((len(domain) > 1 and domain.isalpha()) or _QUAD.fullmatch(host) is not None)
        if known:
            yield in_ascii(host)


def host_of(typed: str) -> str | None:
    """A host, or the host of an address, as somebody types it into a list, in ASCII; None where it is none."""
    plain = unicodedata.normalize("NFKC", typed.strip()).translate(_DOTS).lower()
    plain = re.sub(r"^[a-z][a-z0-9+.-]*://", "", plain).removeprefix("*.").removeprefix("www.")
    host = in_ascii(re.split(r"[/?#:]", plain, maxsplit=1)[0].strip("."))
    return host if len(host) <= 253 and re.fullmatch(r"(?:[a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}", host) else None


def allows(hosts: frozenset[str], host: str) -> bool:
    """Whether the host is one of those, or below one."""
    labels = host.split(".")
    return any(".".join(labels[at:]) in hosts for at in range(len(labels)))


def first_foreign(text: str, hosts: frozenset[str]) -> str | None:
    """The first host that a link of the text leads to and the list does not allow."""
    return next((host for host in hosts_in(text) if not allows(hosts, host)), None)


def hosts_of(lines: Iterable[str]) -> frozenset[str]:
    """Of lines of a list those that are hosts."""
    return frozenset(host for line in lines if (host := host_of(line)) is not None)


def in_ascii(host: str) -> str:
    return ".".join(map(_label, host.split(".")))


def _label(label: str) -> str:
    if label.isascii():
        return label
    return "xn--" + label.encode("punycode").decode("ascii")
