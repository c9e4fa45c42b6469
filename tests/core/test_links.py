"""Links in texts and lists of hosts."""

import pytest

from relais.core.links import allows, first_foreign, host_of, hosts_in, hosts_of


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("Your code is 1234. Do not share it.", []),
        ("Pay 3.50/month, e.g. on 12.11.2026, by 10.30", []),
        ("Write to ann@example.com or see us", []),
        ("See https://www.Example.com/a?b=c.", ["www.example.com"]),
        ("see example.com/x, or bit.ly/2", ["example.com", "bit.ly"]),
        ("(example.co.uk)", ["example.co.uk"]),
        ("shop.photography/sale and shop.photography", ["shop.photography"]),
        ("http://user:pw@evil.example:8080/x", ["evil.example"]),
        ("http://good.com@evil.com/", ["evil.com"]),
        (r"https:\\evil.com\x", ["evil.com"]),
        ("http://ev%69l.com", ["evil.com"]),
        ("go to 1.2.3.4/x", ["1.2.3.4"]),
        ("http://[2001:db8::1]/x", ["[2001:db8::1]"]),
        ("e\u200bvil.com", ["evil.com"]),
        ("\uff45\uff56il\u3002com", ["evil.com"]),
        ("http://müller.de", ["xn--mller-kva.de"]),
        ("xn--mller-kva.de", ["xn--mller-kva.de"]),
        ("почта.рф", ["xn--80a1acny.xn--p1ai"]),
        ("привет.Как дела", []),
    ],
)  # fmt: skip
def test_links_are_found_as_phones_and_browsers_read_them(text: str, hosts: list[str]) -> None:
    assert list(hosts_in(text)) == hosts


def test_a_list_allows_its_hosts_and_what_is_below_them_and_nothing_that_looks_alike() -> None:
    hosts = hosts_of(["https://www.Example.com/shop", "*.müller.de", "", "no host"])
    assert hosts == {"example.com", "xn--mller-kva.de"}
    assert allows(hosts, "a.b.example.com") and allows(hosts, "example.com") and not allows(hosts, "badexample.com")
    assert first_foreign("example.com/x and https://shop.xn--mller-kva.de", hosts) is None
    assert first_foreign("example.com.evil.org", hosts) == "example.com.evil.org"
    assert first_foreign("\u0435xample.com", hosts) == "xn--xample-2of.com", "a Cyrillic letter is another"
    assert first_foreign("anything.org", frozenset()) == "anything.org"
    assert [host_of(typed) for typed in ("example", "exa mple.com", "a" * 300 + ".com", "")] == [None] * 4
