"""Mail to customers, by a provider who sends a message once, however often its key comes."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from shopkit import http

MAILED = ("orders.placed", "deliveries.in_transit")
mail = cache(http.mail)
log = logging.getLogger("shop")


def send(message_id: str, to: str, language: str, template: str, data: dict[str, Any]) -> None:
    """Raises http.Unavailable when the provider does not answer: the event is delivered again then. A refused address is given up."""
    body = {"to": to, "language": language, "template": template, "data": data}
    try:
        mail().post("/v1/messages", key=message_id, json=body)
    except http.Refused as error:
        log.warning("mail %s to %s was refused: %s", template, to, error.detail)
