"""Greets whoever asks."""

from helpdesk_core.api import ROLES, Context, Permission, Router, Schema, hookimpl

GREET = Permission("greetings:greeting:read", "Be greeted", ROLES)
router = Router("greetings", tag="Greetings")


class Greeting(Schema):
    """A friendly word."""

    text: str


@router.get("/", permission=GREET)
def greet(ctx: Context) -> Greeting:
    """Greet the caller."""
    return Greeting(text=f"Hello, {ctx.actor.role}!")


@hookimpl
def register_routes() -> list[Router]:
    """Return the one router."""
    return [router]


@hookimpl
def register_permissions() -> list[Permission]:
    """Return the one permission."""
    return [GREET]
