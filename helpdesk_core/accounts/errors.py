"""What can be refused in accounts."""

from helpdesk_core.errors import (
    Conflict,
    HelpdeskError,
    Invalid,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    Unprocessable,
)


class InvalidCredentials(Unauthenticated):
    """Invalid credentials"""

    code = "AUTHENTICATION_REQUIRED"
    keeps_writes = True


class InvalidRefreshToken(Unauthenticated):
    """The refresh token is invalid or has expired."""

    code = "AUTHENTICATION_REQUIRED"
    keeps_writes = True


class CodeRequired(Unauthenticated):
    """A code of your second factor is required."""

    code = "AUTHENTICATION_REQUIRED"


class WrongCode(Unauthenticated):
    """The code is wrong or was used before."""

    code = "AUTHENTICATION_REQUIRED"
    keeps_writes = True


class EmailNotVerified(PermissionDenied):
    """Verify your address first: follow the link that was mailed to you."""

    code = "EMAIL_NOT_VERIFIED"
    keeps_writes = True


class WrongProof(Invalid):
    """Validation failed"""

    code = "VALIDATION_ERROR"
    keeps_writes = True


class SecondFactorKept(PermissionDenied):
    """Your organization asks your role for a second factor."""


class SecondFactorOff(Conflict):
    """You have no second factor. Set one up first."""


class SecondFactorOn(Conflict):
    """A second factor was turned on meanwhile. Try again with your password, or a code of it as code."""


class NothingToVerify(Conflict):
    """No device is waiting to be verified. Set one up first."""


class LastDevice(Conflict):
    """This is your only device. Turn the second factor off with /users/2fa/disable/ instead."""


class TooManyDevices(Conflict):
    """Nobody can have more than ten devices. Remove one first."""


class RegistrationClosed(PermissionDenied):
    """This organization does not accept this registration."""


class LastAdministrator(Conflict):
    """An organization needs at least one active administrator."""


class BeyondOneself(PermissionDenied):
    """Nobody can give, or decide over, more than they may do themselves."""

    code = "INSUFFICIENT_PERMISSIONS"


class RoleInUse(Conflict):
    """Somebody has this role. Give them another one first."""


class OrganizationNotEmpty(Conflict):
    """Only an organization without users can be deleted."""


class NoDomain(Unprocessable):
    """This organization has no domain to verify."""


class DomainNotVerified(Unprocessable):
    """The DNS record that proves the domain was not found. Add it and try again; it may take a while to spread."""


class DomainChanged(Conflict):
    """The domain was changed meanwhile."""


class NameServersUnavailable(Unavailable):
    """The name servers of the domain cannot be asked right now. Try again later."""

    code = "SERVICE_UNAVAILABLE"


class SystemPlugin(Conflict):
    """This plugin belongs to the installation and is always on."""


class RequiredPluginsOff(Conflict):
    """Other plugins that this one needs are off. Enable them first."""


class PluginSwitchFailed(HelpdeskError):
    """The plugin failed while it was being switched; nothing was changed."""


class PluginNeeded(Conflict):
    """Other plugins need this one. Disable them first."""


class OwnOrganization(Conflict):
    """Nobody can do this to their own organization."""


class InvitationSettled(Conflict):
    """This invitation was accepted or revoked."""


def bad_link() -> Invalid:
    """Return the refusal of a link, the same whether it is used, expired, revoked, outdated or made up."""
    return Invalid.field("token", "This link is not valid, or not any more. Ask for a new one.")
