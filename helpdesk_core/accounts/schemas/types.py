"""Types of single fields: names, addresses, phone numbers, time zones, languages."""

import re
import unicodedata
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk_core.accounts.languages import LANGUAGES
from helpdesk_core.schemas import Text

_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\]\\]+@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.IGNORECASE)
_USERNAME = re.compile(r"[\w.+-]+")
_PHONE = re.compile(r"\+[1-9][0-9]{5,14}")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}")
_NOT_ZONES = {"localtime", "posixrules", "Factory"}


@cache
def timezones() -> frozenset[str]:
    """Return the names of the IANA time zones."""
    return frozenset(available_timezones() - _NOT_ZONES)


def key_of(name: str) -> str:
    """Return the form of a user name or an address that is unique: without case, compatibility forms merged."""
    return unicodedata.normalize("NFKC", name).casefold()


def domain_of(address: str) -> str:
    """Return the domain of an e-mail address."""
    return address.rpartition("@")[2].lower()


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value) or len(key_of(value)) > 254:
        raise PydanticCustomError("email", "Enter an e-mail address.")
    return value


def _username(value: str) -> str:
    value = unicodedata.normalize("NFKC", value)
    if not _USERNAME.fullmatch(value) or len(value) > 150 or len(key_of(value)) > 150:
        raise PydanticCustomError("username", "Use letters, digits and . _ + - only.")
    return value


def _phone(value: str) -> str:
    if not _PHONE.fullmatch(value):
        raise PydanticCustomError("phone", "Enter a number like +12025550123.")
    return value


def _timezone(value: str) -> str:
    if value not in timezones():
        raise PydanticCustomError("timezone", "This is not a time zone. Enter one like Europe/Zurich.")
    return value


def _language(value: str) -> str:
    language, _, region = value.replace("_", "-").partition("-")
    if language.lower() not in LANGUAGES or (region and not re.fullmatch(r"[A-Za-z]{2}", region)):
        raise PydanticCustomError("language", "Enter a language of two letters, with a region or without: en, pt-BR.")
    return f"{language.lower()}-{region.upper()}" if region else language.lower()


def _domain(value: str) -> str:
    value = value.lower()
    if not _DOMAIN.fullmatch(value):
        raise PydanticCustomError("domain", "Enter a domain like example.com.")
    return value


def _plain(value: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise PydanticCustomError("control", "Control characters are not allowed.")
    return value.strip()


def _shown(**keywords: Any) -> Any:
    """Tell the OpenAPI document what a validator checks; validation itself does not look at it."""
    return Field(json_schema_extra=keywords)


Email = Annotated[Text, Field(max_length=254), AfterValidator(_email), _shown(format="email")]
NewUsername = Annotated[
    Text, Field(min_length=1, max_length=150), AfterValidator(_username), _shown(pattern=r"^[A-Za-z0-9_.+-]+$")
]
Name = Annotated[Text, Field(max_length=150), AfterValidator(_plain)]
Phone = Annotated[Text, Field(max_length=20), AfterValidator(_phone), _shown(pattern=r"^\+[1-9][0-9]{5,14}$")]
Timezone = Annotated[Text, Field(max_length=64), AfterValidator(_timezone), _shown(examples=["Europe/Zurich"])]
Language = Annotated[
    Text, Field(max_length=10), AfterValidator(_language), _shown(pattern="^[A-Za-z]{2}([-_][A-Za-z]{2})?$")
]
"""A language of two letters, with a region or without: `en`, `pt-BR`; `pt_br` is read as the latter."""
LONGEST_DOMAIN = 253 - len("_helpdesk.")  # it is verified by a record below it
Domain = Annotated[Text, Field(max_length=LONGEST_DOMAIN), AfterValidator(_domain), _shown(examples=["example.com"])]
Slug = Annotated[Text, Field(max_length=63, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Password = Annotated[Text, Field(max_length=4096)]
"""A new password as it was sent; `passwords.password_problem` says whether it may be one."""
Role = Literal["customer", "technician", "agent", "admin"]
Tier = Literal["free", "basic", "professional", "enterprise"]
Policy = Literal["open", "domain", "invitation", "closed"]
