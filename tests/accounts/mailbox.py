"""What people do with their mail: wait for it, find the link in it, follow it."""

import re

from tests.contract.steps import served

LINK = re.compile(r"http://localhost:8000/account/([a-z-]+)/#(\S+)")


def mails_to(installation, address):
    """The mails that an address got so far, oldest first, once everything is delivered."""
    installation.run_jobs()
    return [mail for mail in installation.mails if mail.to == address]


def newest_mail(installation, address):
    return mails_to(installation, address)[-1]


def links_in(mails):
    """The tokens of all links in these mails."""
    return [token for mail in mails for _, token in LINK.findall(mail.text)]


def token_for(installation, address, page):
    """The token in the newest mail to an address, whose link leads to this page."""
    (found,) = LINK.findall(newest_mail(installation, address).text)
    assert found[0] == page
    return found[1]


def ask_for_reset(installation, anonymous, address):
    """Asks for a new password, and answers with the token that was mailed."""
    served(anonymous.post("/users/password-reset/", json={"email": address}))
    return token_for(installation, address, "reset-password")


def tampered(token):
    """Tokens that are nearly this one."""
    key, _, seal = token.partition(".")
    other = "A" if seal[5] != "A" else "B"
    return [
        f"{int(key) + 1}.{seal}",
        f"0{token}",
        f"{key}.{seal[:5]}{other}{seal[6:]}",
        f"{key}.{seal[:-1]}",
        f"{key}.",
        key,
        f".{seal}",
        f"{token}=",
        f" {token}",
        f"{9**30}.{seal}",
        f"-{token}",
        "\u0661." + seal,
        "x",
    ]
