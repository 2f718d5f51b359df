"""Kinds of notifications: what plugins can tell people, and in which words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from helpdesk_core.placeholders import variables_in

ALWAYS = ("recipient_name", "organization_name")
"""Variables that every text has, whatever `notify` is given."""
LONGEST_NAME = 60
NAME = rf"[a-z][a-z0-9_]{{0,{LONGEST_NAME - 1}}}"

Value = str | int | datetime | Mapping[str, str]
"""What stands for a variable: an instant is shown in the reader's time zone, of words by language the reader's one;
anything else is text as it is."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a kind in one language.

    Attributes:
        title: what it is called where people choose what they are told of.
        subject: one line, the title in the inbox and the subject of the mail; `{variables}` are filled in.
        text: what is said below it; `{variables}` are filled in, paragraphs are parted by an empty line.
    """

    title: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class NotificationKind:
    """Something that people can be told. Plugins return theirs from `register_notification_kinds`.

    Attributes:
        name: unique among all plugins, `ticket_assigned`; also the name of its template.
        title: what it is called, in English like the two texts.
        subject: see `Wording`.
        text: see `Wording`.
        variables: what the texts, and those that organisations write instead, can name between braces.
        translations: the words in other languages, by language of two letters.
        in_app: whether it is in the inbox of people who did not choose.
        email: whether it is mailed to people who did not choose.

    Raises:
        ValueError: the name has another form, or a text names what is no variable.
    """

    name: str
    title: str
    subject: str
    text: str
    variables: tuple[str, ...] = ()
    translations: Mapping[str, Wording] = field(default_factory=dict)
    in_app: bool = True
    email: bool = True

    def __post_init__(self) -> None:
        """Check what is wrong in whatever organisation, so that it is the plugin's failure at start."""
        if not re.fullmatch(NAME, self.name):
            raise ValueError(f"notification kind {self.name!r} must be lower case letters, digits and underscores")
        for wording in (self.wording("en"), *self.translations.values()):
            unknown = set(variables_in(f"{wording.subject} {wording.text}")) - {*self.variables, *ALWAYS}
            if unknown:
                raise ValueError(f"notification kind {self.name}: {', '.join(sorted(unknown))} is no variable of it")

    def wording(self, language: str) -> Wording:
        """Return the words in a language, the English ones where there are no others."""
        return self.translations.get(language) or Wording(self.title, self.subject, self.text)
