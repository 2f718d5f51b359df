"""What is kept of the requests of organisations."""

from sqlalchemy import BigInteger, ForeignKey, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk_core.database import CoreBase
from helpdesk_core.tenancy import TenantScoped


class Usage(CoreBase, TenantScoped):
    """Requests of an organisation in one month, as of a minute ago: what a lost counter goes on from."""

    __tablename__ = "core_usage"

    organization_id: Mapped[int] = mapped_column(ForeignKey("core_organization.id"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    warned: Mapped[int] = mapped_column(SmallInteger, default=0)
