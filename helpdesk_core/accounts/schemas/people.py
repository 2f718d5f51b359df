"""Users and organisations as other objects show them."""

from helpdesk_core.schemas import DbInt, Ref, Schema


class Person(Schema):
    """A user as other objects show them in COMPREHENSIVE."""

    id: DbInt
    email: str
    full_name: str


class Username(Schema):
    """A user as other objects show them in CLASSIC."""

    id: DbInt
    username: str
    email: str


class OrganizationSummary(Schema):
    """An organisation as other objects show it."""

    id: DbInt
    name: str


UserRef = Ref
"""A reference to a user: the id, or the object that was read."""
