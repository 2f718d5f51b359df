"""One's own second factors: devices that make codes, and the backup codes that stand in for them."""

from dataclasses import dataclass

from helpdesk_core.accounts import otp, permissions, queries
from helpdesk_core.accounts.backup_codes import BackupCodes, KeptCode
from helpdesk_core.accounts.errors import SecondFactorOff, WrongProof
from helpdesk_core.accounts.models import Organization, SecondFactor, User
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.routes.proofs import CheckedProof, insist, look_at_proof, refuse_ended
from helpdesk_core.accounts.routes.sign_in import checker_of
from helpdesk_core.accounts.schemas.second_factors import (
    BackupCodesLeft,
    DeviceCode,
    DeviceFilters,
    DeviceRead,
    DeviceSecret,
    DeviceSetup,
    NewBackupCodes,
    Proof,
    SecondFactorStatus,
)
from helpdesk_core.accounts.service import codes, delays, second_factors
from helpdesk_core.accounts.service.second_factors import NewDevice
from helpdesk_core.errors import FieldError, NotFound
from helpdesk_core.keys import Vault
from helpdesk_core.schemas import Dialect, Message, Page
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("users", tag="Second factor", document=Dialect.COMPREHENSIVE)
NOT_STORED = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A device before it is stored.

    Attributes:
        secret: in the clear.
        backup_codes: in the clear.
        device: what is stored of them.
        proof: nothing where none is needed.
    """

    secret: str
    backup_codes: list[str]
    device: NewDevice
    proof: CheckedProof | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """New backup codes before they are stored.

    Attributes:
        backup_codes: in the clear.
        kept: what is stored of them.
        proof: of the owner.
    """

    backup_codes: list[str]
    kept: list[KeptCode]
    proof: CheckedProof


def draft_device(ctx: Context, body: DeviceSetup) -> Draft:
    """Make a secret and backup codes, and hash these; a further device takes a proof."""
    user_id = ctx.actor.user_id
    proof = look_at_proof(ctx, body) if codes.is_on(ctx.session, user_id) else None
    second_factors.refuse_taken_name(ctx.session, user_id, body.device_name)
    new, kept = ([], []) if proof and proof.problems else _new_codes(ctx)
    secret = otp.new_secret()
    return Draft(secret, new, NewDevice(body.device_name, ctx.services.get(Vault).encrypt(secret), kept), proof)


@router.post(
    "/2fa/setup/",
    permission=permissions.USE,
    personal=True,
    enrolling=True,
    reveals=True,
    slow=True,
    prepare=draft_device,
)
def set_up_device(ctx: Context, body: DeviceSetup, prepared: Draft) -> DeviceSecret:  # noqa: ARG001
    """Begin to set up a device that makes codes: an authenticator app, for instance.

    It makes no difference until its first code is sent to `/users/2fa/verify/`; until then, beginning again replaces
    it. Its backup codes work from then on as well, and earlier ones no longer. A further device takes the password or a
    code. Nothing of this answer is shown again.
    """
    if prepared.proof is not None:
        insist(ctx, prepared.proof)
    else:
        second_factors.refuse_unproved(ctx.session, ctx.actor.user_id)
        refuse_ended(ctx)
    second_factors.set_up(ctx.session, ctx.actor.user_id, prepared.device)
    user = ctx.session.get_one(User, ctx.actor.user_id)
    issuer = ctx.session.get_one(Organization, user.organization_id).name
    ctx.headers.update(NOT_STORED)
    return DeviceSecret(
        qr_code=otp.qr_code(otp.address_of(prepared.secret, owner=user.username, issuer=issuer)),
        secret_key=prepared.secret,
        backup_codes=prepared.backup_codes,
    )


@router.post("/2fa/verify/", permission=permissions.USE, personal=True, enrolling=True)
def verify_device(ctx: Context, body: DeviceCode) -> Message:
    """Verify the device that was set up last by a code that it shows: from now on logging in takes one."""
    user_id = ctx.actor.user_id
    second_factors.refuse_nothing_pending(ctx.session, user_id)
    series = delays.proofs_of(user_id)
    delays.begin(ctx.session, series)
    evidence = codes.evidence_of(ctx.session, checker_of(ctx), user_id, body.code, ctx.now, pending=True)
    if not second_factors.confirm(ctx.session, user_id, evidence):
        delays.fail(ctx.session, series)
        raise WrongProof(errors=[FieldError("code", "This is not the code that the new device shows.")])
    delays.withdraw(ctx.session, series)
    return Message(message="Two-factor authentication enabled successfully")


def check_disabling(ctx: Context, body: Proof) -> CheckedProof:
    """Refuse what cannot be turned off, then look at the proof."""
    second_factors.refuse_disabling(ctx.session, ctx.session.get_one(User, ctx.actor.user_id))
    return look_at_proof(ctx, body)


@router.post(
    "/2fa/disable/", permission=permissions.USE, personal=True, enrolling=True, slow=True, prepare=check_disabling
)
def disable_second_factor(ctx: Context, body: Proof, prepared: CheckedProof) -> Message:  # noqa: ARG001
    """Remove every device and backup code of one's own: logging in takes the password alone."""
    insist(ctx, prepared)
    second_factors.disable(ctx.session, ctx.session.get_one(User, ctx.actor.user_id))
    return Message(message="Two-factor authentication disabled successfully")


@router.get("/2fa/", permission=permissions.USE, personal=True, enrolling=True)
def retrieve_second_factor(ctx: Context) -> SecondFactorStatus:
    """Whether logging in takes a code, and whether it has to."""
    actor = ctx.actor
    count = second_factors.count_devices(ctx.session, actor.user_id)
    organization = ctx.session.get_one(Organization, actor.organization_id)
    return SecondFactorStatus(
        enabled=count > 0,
        required=second_factors.is_required(organization, actor.role),
        device_count=count,
        backup_codes_left=codes.count_backup_codes(ctx.session, actor.user_id),
    )


@router.get("/2fa/devices/", permission=permissions.USE, personal=True, enrolling=True)
def list_devices(ctx: Context, query: DeviceFilters) -> Page[DeviceRead]:
    """One's own devices, newest first; one that was set up and not verified is among them."""
    return ctx.page(queries.devices, query)


def check_removal(ctx: Context, body: Proof, device_id: int) -> CheckedProof:
    """Refuse what cannot be removed, then look at the proof."""
    second_factors.refuse_last_device(ctx.session, _device(ctx, device_id))
    return look_at_proof(ctx, body)


@router.delete(
    "/2fa/devices/{device_id}/",
    permission=permissions.USE,
    personal=True,
    enrolling=True,
    slow=True,
    prepare=check_removal,
)
def remove_device(ctx: Context, device_id: Key, body: Proof, prepared: CheckedProof) -> None:  # noqa: ARG001
    """Remove one of several devices: its codes stop working at once. The last one goes with `/users/2fa/disable/`."""
    insist(ctx, prepared)
    second_factors.remove_device(ctx.session, _device(ctx, device_id))


@router.get("/2fa/backup-codes/", permission=permissions.USE, personal=True, enrolling=True)
def count_backup_codes(ctx: Context) -> BackupCodesLeft:
    """How many backup codes of one's own are left."""
    return BackupCodesLeft(remaining=codes.count_backup_codes(ctx.session, ctx.actor.user_id))


def draft_codes(ctx: Context, body: Proof) -> Renewal:
    """Look at the proof; make codes and hash them."""
    if not codes.is_on(ctx.session, ctx.actor.user_id):
        raise SecondFactorOff
    proof = look_at_proof(ctx, body)
    new, kept = ([], []) if proof.problems else _new_codes(ctx)
    return Renewal(new, kept, proof)


@router.post(
    "/2fa/backup-codes/",
    permission=permissions.USE,
    personal=True,
    enrolling=True,
    reveals=True,
    slow=True,
    prepare=draft_codes,
)
def renew_backup_codes(ctx: Context, body: Proof, prepared: Renewal) -> NewBackupCodes:  # noqa: ARG001
    """Get ten new backup codes; the old ones work no longer, and these are not shown again."""
    insist(ctx, prepared.proof)
    second_factors.renew_backup_codes(ctx.session, ctx.actor.user_id, prepared.kept)
    ctx.headers.update(NOT_STORED)
    return NewBackupCodes(backup_codes=prepared.backup_codes)


def _new_codes(ctx: Context) -> tuple[list[str], list[KeptCode]]:
    backup_codes = ctx.services.get(BackupCodes)
    new = backup_codes.new()
    return new, backup_codes.kept(ctx.actor.user_id, new, ctx.services.get(Passwords))


def _device(ctx: Context, device_id: int) -> SecondFactor:
    device = ctx.session.get(SecondFactor, device_id)
    if device is None or device.user_id != ctx.actor.user_id:
        raise NotFound
    return device
