"""What organisations can set for the knowledge base."""

from typing import Annotated, Literal

from pydantic import Field

from helpdesk_core.api import Schema, Text


class KbSettings(Schema):
    """Settings of an organisation, under `kb`."""

    help_center_public: bool = True
    """Whether the help centre can be read without signing in; it then shows the articles whose audience is public."""
    help_center_title: Annotated[Text, Field(max_length=100)] = ""
    """What the help centre is called; the name of the organisation if it is left out."""
    help_center_welcome: Annotated[Text, Field(max_length=300)] = ""
    """A sentence below the title of the help centre."""
    default_audience: Literal["public", "customers", "internal"] = "customers"
    """Whom a new article is for unless its author says so."""
