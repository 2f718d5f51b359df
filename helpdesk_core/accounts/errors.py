"""What can be refused in accounts."""

from helpdesk_core.errors import Conflict, PermissionDenied, Unauthenticated


class InvalidCredentials(Unauthenticated):
    """Invalid credentials"""

    code = "AUTHENTICATION_REQUIRED"
    keeps_writes = True


class InvalidRefreshToken(Unauthenticated):
    """The refresh token is invalid or has expired."""

    code = "AUTHENTICATION_REQUIRED"
    keeps_writes = True


class RegistrationClosed(PermissionDenied):
    """This organization does not accept this registration."""


class LastAdministrator(Conflict):
    """An organization needs at least one active administrator."""


class OrganizationNotEmpty(Conflict):
    """Only an organization without users can be deleted."""


class OwnOrganization(Conflict):
    """Nobody can do this to their own organization."""
