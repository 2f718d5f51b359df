"""Devices that make codes, as people have them."""

from dataclasses import dataclass
from typing import Any

from helpdesk_core.accounts import otp
from tests.contract.steps import served


@dataclass
class Phone:
    """An authenticator app.

    Attributes:
        clock: of the installation.
        secret: as it was scanned.
        backup_codes: as they were written down.
    """

    clock: Any
    secret: str
    backup_codes: list[str]

    def code(self) -> str:
        """The code that it shows now."""
        return otp.code_at(self.secret, self.clock.now())

    def next_code(self) -> str:
        """The code that it shows half a minute later."""
        self.clock.advance(seconds=30)
        return self.code()

    def wrong_code(self) -> str:
        """A code that no step near the present has."""
        return f"{(int(self.code()) + 1) % 10**6:06}" if self.code()[-1] != "9" else f"{int(self.code()) - 1:06}"


def set_up(client: Any, clock: Any, name: str = "My Phone", **fields: Any) -> Phone:
    """A device that is not verified yet."""
    made = served(client.post("/users/2fa/setup/", json={"device_name": name, **fields}))
    return Phone(clock, made["secret_key"], made["backup_codes"])


def enroll(client: Any, clock: Any, name: str = "My Phone", **fields: Any) -> Phone:
    """A device that is verified; its next code is half a minute away."""
    phone = set_up(client, clock, name, **fields)
    served(client.post("/users/2fa/verify/", json={"code": phone.code()}))
    return phone


def credentials(client: Any, **fields: Any) -> dict[str, Any]:
    """What somebody of the cast logs in with."""
    return {"username": client.user.username, "password": client.user.password, **fields}
