"""Mail addresses are checked by the rules, without looking anything up."""

import pytest

from serving.errors import Refused
from serving.jobs.addresses import clean_email, mailbox_of


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", None),
        ("  ", None),
        (" anna@example.com ", "anna@example.com"),
        ("anna.b+c@Example.COM", "anna.b+c@example.com"),
        ("anna@bücher.example.com", "anna@xn--bcher-kva.example.com"),
    ],
)
def test_an_address_is_taken_as_it_is_written_properly(typed, expected):
    assert clean_email(typed) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "anna",
        "anna@",
        "@example.com",
        "anna@localhost",
        "anna@example",
        "anna..b@example.com",
        ".anna@example.com",
        "anna@-example.com",
        "anna@exa_mple.com",
        "anna@example..com",
        "anna@[127.0.0.1]",
        "Anna <anna@example.com>",
        "anna@example.com, berta@example.com",
        "anna@example.com\r\nBcc: all@example.com",
        "änna@example.com",
        "a" * 65 + "@example.com",
        "anna@" + "a" * 250 + ".com",
    ],
)
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(Refused, match="does not look like an email address"):
        clean_email(typed)


def test_a_mailbox_has_many_addresses():
    for other in ("Anna+photos@Example.com", "an.na@example.com", "A.n.n.a+x+y@example.com"):
        assert mailbox_of(other) == mailbox_of("anna@example.com") == "anna@example.com"
