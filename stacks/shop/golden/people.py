"""Customers: who they are, where they live, how they pay. Names are common, addresses and numbers belong to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from golden.files import Dataset, ago, number, pick

FIRST = {
    "DE": ["Anna", "Ben", "Clara", "Emil", "Frieda", "Jonas", "Lea", "Mats", "Nele", "Paul", "Sofie", "Tim"],
    "FR": ["Alice", "Bruno", "Chloé", "Denis", "Élodie", "Hugo", "Inès", "Jules", "Léa", "Noé", "Pauline", "Rémi"],
    "NL": ["Anouk", "Bram", "Daan", "Eva", "Femke", "Joris", "Lotte", "Milan", "Noor", "Sem", "Tess", "Wout"],
    "GB": ["Alice", "Bertie", "Cara", "Dylan", "Ellie", "Finlay", "Grace", "Harry", "Isla", "Jack", "Maisie", "Owen"],
    "US": ["Ava", "Caleb", "Ella", "Ethan", "Grace", "Henry", "Liam", "Mia", "Noah", "Olivia", "Ruby", "Wyatt"],
}
LAST = {
    "DE": [
        "Becker",
        "Fischer",
        "Hoffmann",
        "Krüger",
        "Lange",
        "Meyer",
        "Neumann",
        "Richter",
        "Schäfer",
        "Schulz",
        "Wagner",
        "Weiß",
    ],
    "FR": [
        "Bernard",
        "Dubois",
        "Durand",
        "Fontaine",
        "Garnier",
        "Lambert",
        "Leroy",
        "Martin",
        "Moreau",
        "Petit",
        "Roux",
        "Simon",
    ],
    "NL": [
        "Bakker",
        "de-Boer",
        "Dekker",
        "Hendriks",
        "Jansen",
        "Kok",
        "Mulder",
        "Peters",
        "Smit",
        "van-Dijk",
        "Visser",
        "Vos",
    ],
    "GB": [
        "Baker",
        "Clarke",
        "Davies",
        "Evans",
        "Hughes",
        "Jones",
        "O'Neill",
        "Patel",
        "Roberts",
        "Taylor",
        "Walker",
        "Wright",
    ],
    "US": [
        "Adams",
        "Brooks",
        "Carter",
        "Diaz",
        "Foster",
        "Garcia",
        "Hayes",
        "Lopez",
        "Miller",
        "Nguyen",
        "Parker",
        "Reed",
    ],
}
CITIES = {
    "DE": [("Berlin", "10115"), ("Hamburg", "20095"), ("Leipzig", "04109"), ("Köln", "50667")],
    "FR": [("Lyon", "69001"), ("Nantes", "44000"), ("Paris", "75011"), ("Lille", "59000")],
    "NL": [("Utrecht", "3511 AA"), ("Leiden", "2311 AA"), ("Groningen", "9711 AA")],
    "GB": [("Leeds", "LS1 1AA"), ("Bristol", "BS1 1AA"), ("Cardiff", "CF10 1AA")],
    "US": [("Portland", "97201"), ("Austin", "78701"), ("Madison", "53703")],
}
STREETS = {
    "DE": "Beispielweg {n}",
    "FR": "{n} rue de l'Exemple",
    "NL": "Voorbeeldstraat {n}",
    "GB": "{n} Example Street",
    "US": "{n} Sample Avenue",
}
PHONES = {
    "DE": "+49 30 23125 {n:03d}",
    "GB": "+44 20 7946 0{n:03d}",
    "FR": "+33 1 99 00 {a:02d} {b:02d}",
}  # set apart for fiction
LANGUAGES = {"DE": "de", "FR": "fr", "NL": "nl", "GB": "en", "US": "en"}
CURRENCY = {"DE": "EUR", "FR": "EUR", "NL": "EUR", "GB": "GBP", "US": "USD"}
MARKETS = ["DE"] * 8 + ["FR"] * 4 + ["NL"] * 3 + ["GB"] * 3 + ["US"] * 2


@dataclass(frozen=True)
class Person:
    id: int
    country: str
    name: str
    segment: str
    status: str
    mandate: str | None  # the active one

    @property
    def currency(self) -> str:
        return CURRENCY[self.country]

    @property
    def ship_to(self) -> dict[str, Any]:
        return {"name": self.name, **self.place}

    @property
    def place(self) -> dict[str, str]:
        city, postal_code = pick(CITIES[self.country], "city", self.id)
        line1 = STREETS[self.country].format(n=1 + number(98, "house", self.id))
        return {"line1": line1, "city": city, "postal_code": postal_code, "country_code": self.country}


def people() -> list[Person]:
    """Customers 1 to 360 are active, all but the Americans and each ninth of them with a valid mandate; 1 to 5 live in Germany."""
    return [person(key) for key in range(1, 401)]


def person(key: int) -> Person:
    country = "DE" if key <= 5 else pick(MARKETS, "market", key)
    first, last = pick(FIRST[country], "first", key), pick(LAST[country], "last", key).replace("-", " ")
    status = next(status for limit, status in STATUSES if key <= limit)
    valid = status == "active" and country != "US" and key % 9 != 0
    segment = "standard" if key <= 5 else pick(["standard"] * 7 + ["plus"] * 2 + ["business"], "segment", key)
    return Person(key, country, f"{first} {last}", segment, status, f"MND-{key:06d}-1" if valid else None)


STATUSES = [(360, "active"), (380, "prospect"), (395, "suspended"), (400, "closed")]


def iban(country: str, account: int) -> str:
    """An IBAN with right check digits at a bank that does not exist (its code is all zeros or TEST)."""
    bank = {"DE": "0" * 8, "FR": "0" * 10, "NL": "TEST", "GB": "TEST" + "0" * 6}[country]
    width = {"DE": 10, "FR": 13, "NL": 10, "GB": 8}[country]
    body = f"{bank}{account:0{width}d}"
    digits = "".join(str(int(character, 36)) for character in f"{body}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{body}"


def add_people(data: Dataset, everybody: list[Person]) -> None:
    addresses = 0
    for one in everybody:
        joined = 24 * (130 + number(900, "joined", one.id))
        add_customer(data, one, joined)
        kinds = ["shipping"] if one.status != "prospect" else []
        for kind in kinds + (["billing"] if kinds and one.id % 5 == 0 else []):
            addresses += 1
            place = {"line1": one.place["line1"], "line2": None} | one.place
            data.add("customers-db/addresses", id=addresses, customer_id=one.id, kind=kind, **place, is_default=True)
        if kinds and one.country != "US":
            add_mandate(data, one, joined)


def add_customer(data: Dataset, one: Person, joined: int) -> None:
    phone, digits = PHONES.get(one.country), number(1000, "phone", one.id)
    local = one.name.lower().translate(str.maketrans("äéèëïöüß ", "aeeeious.")).replace("'", "")
    data.add(
        "customers-db/customers",
        id=one.id,
        email=f"{local}.{one.id}@example.com",
        full_name=one.name,
        phone=phone.format(n=digits, a=digits // 100, b=digits % 100) if phone else None,
        language=LANGUAGES[one.country],
        segment=one.segment,
        status=one.status,
        attributes={"newsletter": one.id % 3 == 0},
        born_on=f"{1950 + number(55, 'year', one.id)}-{1 + number(12, 'month', one.id):02d}-{1 + number(28, 'day', one.id):02d}",
        created_at=ago(joined),
        updated_at=ago(joined),
    )


def add_mandate(data: Dataset, one: Person, joined: int) -> None:
    """An active one, or one that can no longer be used: every other of those revoked, the rest expired."""
    status = "active" if one.mandate else ("revoked" if one.id % 2 else "expired")
    data.add(
        "customers-db/mandates",
        id=f"MND-{one.id:06d}-1",
        customer_id=one.id,
        scheme="bacs" if one.country == "GB" else "sepa_core",
        iban=iban(one.country, one.id),
        holder=one.name,
        status=status,
        signed_on=f"as_of-{joined // 24}d",
        valid_until={"active": "as_of+1000d", "expired": "as_of-20d", "revoked": None}[status],
        revoked_at=ago(24 * 40) if status == "revoked" else None,
    )
