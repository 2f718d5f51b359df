"""Add custom roles, second factors, API keys, sessions, confirmations, invitations and the audit log."""

import sqlalchemy as sa
from alembic import op

from helpdesk_core.database import BigKey, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
accepted = {"index-locks": "released before this was looked at, with tables that were small"}

REFUSE = {
    "sqlite": (
        "CREATE TRIGGER core_audit_entry_no_{event} BEFORE {event} ON core_audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    ),
    "postgresql": (
        "CREATE TRIGGER core_audit_entry_no_{event} BEFORE {event} ON core_audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION core_audit_refuse()"
    ),
}
REFUSING = (
    "CREATE FUNCTION core_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
)


def upgrade() -> None:
    """Apply."""
    _people()
    _credentials()
    _logins()
    _audit()


def _people() -> None:
    op.create_table(
        "core_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.Column("base", sa.String(length=20), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name="fk_core_role_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_core_role"),
        sa.UniqueConstraint("organization_id", "id", name="uq_core_role_organization_id_id"),
    )
    op.create_index("uq_core_role_organization_id_name_key", "core_role", ["organization_id", "name_key"], unique=True)
    op.create_table(
        "core_confirmation",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["core_user.organization_id", "core_user.id"],
            name="fk_core_confirmation_organization_id_user_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_confirmation_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_core_confirmation"),
    )
    op.create_index("ix_core_confirmation_user_id_purpose", "core_confirmation", ["user_id", "purpose"])
    op.create_table(
        "core_invitation",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("invited_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["invited_by_id"], ["core_user.id"], name="fk_core_invitation_invited_by_id"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_invitation_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_core_invitation"),
    )
    op.create_index(
        "ix_core_invitation_organization_id_created_at_id", "core_invitation", ["organization_id", "created_at", "id"]
    )
    op.create_index("ix_core_invitation_organization_id_email_key", "core_invitation", ["organization_id", "email_key"])
    op.create_table(
        "core_role_assignment",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "role_id"],
            ["core_role.organization_id", "core_role.id"],
            name="fk_core_role_assignment_organization_id_role_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["core_user.organization_id", "core_user.id"],
            name="fk_core_role_assignment_organization_id_user_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_role_assignment_organization_id"
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_core_role_assignment"),
    )
    op.create_index("ix_core_role_assignment_role_id", "core_role_assignment", ["role_id"])
    op.add_column("core_organization", sa.Column("domain_verified_at", UtcDateTime(), nullable=True))


def _credentials() -> None:
    op.create_table(
        "core_api_key",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=True),
        sa.Column("previous_until", UtcDateTime(), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_address", sa.String(length=45), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["core_user.organization_id", "core_user.id"],
            name="fk_core_api_key_organization_id_user_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name="fk_core_api_key_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_core_api_key"),
    )
    op.create_index("ix_core_api_key_user_id_created_at_id", "core_api_key", ["user_id", "created_at", "id"])
    op.create_index("uq_core_api_key_prefix", "core_api_key", ["prefix"], unique=True)
    op.create_table(
        "core_backup_code",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("selector", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["core_user.organization_id", "core_user.id"],
            name="fk_core_backup_code_organization_id_user_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_backup_code_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_core_backup_code"),
    )
    op.create_index("ix_core_backup_code_user_id", "core_backup_code", ["user_id"])
    op.create_table(
        "core_second_factor",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=100), nullable=False),
        sa.Column("secret", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["core_user.organization_id", "core_user.id"],
            name="fk_core_second_factor_organization_id_user_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_second_factor_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_core_second_factor"),
    )
    op.create_index(
        "uq_core_second_factor_user_id_name_key", "core_second_factor", ["user_id", "name_key"], unique=True
    )


def _logins() -> None:
    op.create_table(
        "core_login_delay",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failure_at", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name="fk_core_login_delay_user_id"),
        sa.PrimaryKeyConstraint("subject", name="pk_core_login_delay"),
    )
    op.create_index("ix_core_login_delay_last_failure_at", "core_login_delay", ["last_failure_at"])
    op.create_index("ix_core_login_delay_user_id", "core_login_delay", ["user_id"])
    op.add_column("core_login", sa.Column("kind", sa.String(length=10), server_default="token", nullable=False))
    op.add_column("core_login", sa.Column("secret_hash", sa.String(length=64), nullable=True))
    op.add_column("core_login", sa.Column("expires_at", UtcDateTime(), nullable=True))
    op.add_column("core_login", sa.Column("last_used_at", UtcDateTime(), nullable=True))
    op.add_column("core_login", sa.Column("must_enroll", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("uq_core_login_secret_hash", "core_login", ["secret_hash"], unique=True)


def _audit() -> None:
    op.create_table(
        "core_audit_entry",
        sa.Column("organization_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", BigKey, autoincrement=False, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("act", sa.String(length=100), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("credential", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("target_id", BigKey, nullable=True),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name="pk_core_audit_entry"),
    )
    op.create_index("ix_core_audit_entry_organization_id_act_id", "core_audit_entry", ["organization_id", "act", "id"])
    op.create_index(
        "ix_core_audit_entry_organization_id_actor_id_id", "core_audit_entry", ["organization_id", "actor_id", "id"]
    )
    op.create_table(
        "core_audit_head",
        sa.Column("organization_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", BigKey, nullable=False),
        sa.Column("last_seal", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name="pk_core_audit_head"),
    )
    kind = op.get_context().dialect.name
    if kind == "postgresql":
        op.execute(REFUSING)
    for event in ("UPDATE", "DELETE"):
        op.execute(REFUSE[kind].format(event=event))


def downgrade() -> None:
    """Undo."""
    op.drop_column("core_organization", "domain_verified_at")
    op.drop_index("uq_core_login_secret_hash", table_name="core_login")
    op.drop_column("core_login", "must_enroll")
    op.drop_column("core_login", "last_used_at")
    op.drop_column("core_login", "expires_at")
    op.drop_column("core_login", "secret_hash")
    op.drop_column("core_login", "kind")
    op.drop_table("core_second_factor")
    op.drop_table("core_role_assignment")
    op.drop_table("core_login_delay")
    op.drop_table("core_invitation")
    op.drop_table("core_confirmation")
    op.drop_table("core_backup_code")
    op.drop_table("core_api_key")
    op.drop_table("core_role")
    op.drop_table("core_audit_head")
    op.drop_table("core_audit_entry")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION core_audit_refuse()")
