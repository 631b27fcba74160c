"""What a forgotten person leaves in a text: found and replaced by value, whatever the file and column it stands in.

A text may be a cell, a JSON record, or JSON inside a cell. What stands between the quotes of a JSON string is decoded
first, so that `s\\u00f8ren` is søren; the rest of a record stays byte for byte as it came.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

FORGOTTEN = "[forgotten]"

# What may stand in an address, so that nobody's address is found inside another one.
_NO_ADDRESS_BEFORE = r"(?<![\w.+-])"
_NO_ADDRESS_AFTER = r"(?![\w-]|\.\w)"
_JSON_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
# So much of a text tells whether it may stand somewhere; the whole of it is compared then.
_BEGINNING = 40
# Alternatives of one pattern: the engine's patterns are bounded in memory.
_TOGETHER = 50


@dataclass(frozen=True)
class Whose:
    """Whose record a text stands in, as far as it spares the text.

    `is_other`: that of somebody else, whose own texts stay, the same words among them; `has_the_name`: of somebody else
    of the same name.
    """

    is_other: bool = False
    has_the_name: bool = False


ANYBODY = Whose()


@dataclass(frozen=True)
class Redaction:
    """What is replaced wherever it stands.

    Attributes:
        addresses: an address in lower case -> what stands in its place.
        names: full names, of two words or more.
        texts: what they wrote, where it is long enough to be known again in a quotation.
    """

    addresses: Mapping[str, str]
    names: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()

    def patterns(self) -> list[str]:
        """RE2 patterns of which one fits every text that `clean` may change; they fit a few others too."""
        whole = [_loosely(each) for each in sorted({*self.addresses, *self.names})]
        whole += [_loosely(each[:_BEGINNING]) for each in sorted(self.texts)]
        return [f"(?is){'|'.join(whole[place : place + _TOGETHER])}" for place in range(0, len(whole), _TOGETHER)]

    def clean(self, text: str, own: Collection[str] = (), whose: Whose = ANYBODY) -> str:
        """The text without the person.

        `own` are the texts that a record of theirs has of them: replaced there where one is all of a cell or JSON text.
        """
        if text.strip() in own:
            return FORGOTTEN
        cleaned = self._cleaned(_without_end(text, own), whose)
        if "\\" in cleaned or (own and '"' in cleaned):
            cleaned = _JSON_TEXT.sub(lambda found: self._json_text(found, own, whose), cleaned)
        return cleaned

    def _cleaned(self, text: str, whose: Whose) -> str:
        if self._address:
            text = self._address.sub(lambda found: self.addresses[_normal(found[0])], text)
        if self._name and not whose.has_the_name:
            text = self._name.sub(FORGOTTEN, text)
        for pattern in self._text_patterns:
            if not (whose.is_other and pattern.fullmatch(text.strip())):
                text = pattern.sub(FORGOTTEN, text)
        return text

    def _json_text(self, found: re.Match[str], own: Collection[str], whose: Whose) -> str:
        try:
            decoded = json.loads(found[0], strict=False)
        except ValueError:
            return found[0]
        cleaned = self.clean(decoded, own, whose)
        return found[0] if cleaned == decoded else json.dumps(cleaned, ensure_ascii=False)

    @cached_property
    def _address(self) -> re.Pattern[str] | None:
        return _any(self.addresses, _NO_ADDRESS_BEFORE, _NO_ADDRESS_AFTER)

    @cached_property
    def _name(self) -> re.Pattern[str] | None:
        return _any(self.names, r"(?<!\w)", r"(?!\w)")

    @cached_property
    def _text_patterns(self) -> list[re.Pattern[str]]:
        # One each: a text of theirs may be as long as a letter. The longest first, since one may quote another.
        return [re.compile(_exactly(each), re.IGNORECASE) for each in sorted(self.texts, key=len, reverse=True)]


def _without_end(text: str, own: Collection[str]) -> str:
    """Jira puts time, author and words of a comment into one cell: `09/Jun/26;anna;Hello`."""
    theirs = next((each for each in own if text.rstrip().endswith(f";{each}")), None)
    return text if theirs is None else text.rstrip().removesuffix(theirs) + FORGOTTEN


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _any(values: Collection[str], before: str, after: str) -> re.Pattern[str] | None:
    if not values:
        return None
    whole = "|".join(_exactly(each) for each in sorted(values, key=lambda each: (-len(each), each)))
    return re.compile(f"{before}(?:{whole}){after}", re.IGNORECASE)


def _exactly(text: str) -> str:
    """The text as a pattern: blanks of any kind and length, letters with their marks joined to them or apart."""
    return r"\s+".join("".join(map(_letter, word)) for word in unicodedata.normalize("NFC", text).split())


def _letter(letter: str) -> str:
    forms = sorted({form for each in _cases(letter) for form in (each, unicodedata.normalize("NFD", each))})
    return re.escape(letter) if letter.isascii() else f"(?:{'|'.join(map(re.escape, forms))})"


def _cases(letter: str) -> Iterable[str]:
    return {letter, letter.lower(), letter.upper()}


def _loosely(text: str) -> str:
    r"""The text as it may also be written in JSON: `\u00f8` for ø, `\n` for a line end, `\"` for a quote."""
    words = unicodedata.normalize("NFC", text).split()
    return r"(?:\s|\\+u00a0|\\+[nrt])+".join("".join(map(_loose_letter, word)) for word in words)


def _loose_letter(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        return letter
    escaped = {f"\\\\+u{ord(each):04x}" for each in _cases(letter) if len(each) == 1 and ord(each) < 0x10000}
    if letter.isascii():
        return f"(?:\\\\*{re.escape(letter)}|{'|'.join(sorted(escaped))})"
    apart = {unicodedata.normalize("NFD", each) for each in _cases(letter)}
    spelt = {"".join(f"\\\\+u{ord(mark):04x}" if not mark.isascii() else mark for mark in form) for form in apart}
    plain = {re.escape(each) for each in (*_cases(letter), *apart)}
    # A letter beyond the first plane is two escapes in JSON.
    beyond = {r"(?:\\+u[0-9a-f]{4}){2}"} if ord(letter) >= 0x10000 else set()
    return f"(?:{'|'.join(sorted(plain | escaped | spelt | beyond))})"
