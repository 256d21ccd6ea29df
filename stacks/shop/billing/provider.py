"""The payment provider, who moves the money: set aside, taken, given back. Each call carries a key: repeated, it changes nothing."""

from __future__ import annotations

from functools import cache
from typing import Any

from billing.schemas import AuthorisationIn
from shopkit import http
from shopkit.problems import unavailable

payments = cache(http.payments)


def authorise(given: AuthorisationIn, key: str) -> str | None:
    """Why the provider declines; None once it has set the money aside."""
    body = {
        "reference": key,
        "amount": str(given.amount),
        "currency": given.currency,
        "method": given.method,
        "source": given.card_token if given.method == "card" else given.mandate_id,
    }
    try:
        tell("/v1/payments", key, body)
    except http.Refused as error:
        return error.code
    return None


def capture(key: str) -> None:
    tell(f"/v1/payments/{key}/capture", f"{key}-capture")


def give_back(key: str, *, taken: bool) -> None:
    """What was taken, or only set aside; nothing happens where the provider knows of neither."""
    what = "refund" if taken else "void"
    tell(f"/v1/payments/{key}/{what}", f"{key}-{what}")


def tell(path: str, key: str, body: dict[str, Any] | None = None) -> None:
    """A provider that does not answer is asked again: by whoever asked us."""
    try:
        payments().post(path, key=key, json=body)
    except http.Unavailable as error:
        raise unavailable("the payment provider") from error
