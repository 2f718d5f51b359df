"""The keys of django-helpdesk's users; here, so that who measures need not import Django."""


def key_of(user: int) -> str:
    """Return the key of a user."""
    return f"{user:040x}"
