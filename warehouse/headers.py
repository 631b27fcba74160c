"""How the names in a contract meet the headers of a file."""

from __future__ import annotations

from collections.abc import Iterable


def exact(name: str) -> str:
    """The name without blanks around it, whatever its case."""
    return name.strip().casefold()


def loose(name: str) -> str:
    """The name's letters, digits and per cent signs alone: exports and connectors spell one header in several ways.

    >>> loose("Company Name") == loose("company_name") == loose("*CompanyName")
    True
    """
    return "".join(sign for sign in name.casefold() if sign.isalnum() or sign == "%") or exact(name)


class Headers:
    """A file's headers, and which of them a contract's aliases name."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._exact: dict[str, str] = {}
        self._loose: dict[str, str] = {}
        for name in self.names:
            self._exact.setdefault(exact(name), name)
            self._loose.setdefault(loose(name), name)

    def find(self, aliases: Iterable[str]) -> str | None:
        """The header of the first alias that is there, as the file writes it; one spelt exactly so goes first."""
        for alias in aliases:
            found = self._exact.get(exact(alias)) or self._loose.get(loose(alias))
            if found is not None:
                return found
        return None
