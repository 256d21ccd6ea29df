"""Bank account numbers: ISO 13616's check digits."""

from __future__ import annotations


def compact(iban: str) -> str:
    return iban.replace(" ", "").upper()


def is_valid(iban: str) -> bool:
    """Whether the check digits of a compact IBAN are right (ISO 7064, modulo 97)."""
    if not (iban.isascii() and iban.isalnum() and 15 <= len(iban) <= 34):
        return False
    digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return int(digits) % 97 == 1
