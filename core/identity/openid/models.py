"""Providers that a company trusts, accounts there that belong to its users, and sign-ins that are on their way."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.models import (
    ERASE,
    NOT_PERSONAL,
    Base,
    TenantRow,
    created_now,
    tenant_constraints,
    tenant_link,
)


class OpenIdProvider(TenantRow, Base):
    """Who answers for people: an issuer, and what it knows this company by. ``domains`` are those of the e-mails that
    it may bring in; the client's secret is sealed (``core.foundation.sealing``). With ``counts_as_factor`` nobody who
    comes from there is asked for Centrala's own second factor."""

    __tablename__ = "openid_provider"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("kind in ('google', 'microsoft', 'generic')", name="kind"),
        CheckConstraint("cardinality(domains) > 0", name="domains"),
    )

    kind: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    issuer: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    client_id: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary, info=NOT_PERSONAL)
    domains: Mapped[list[str]] = mapped_column(ARRAY(String), info=NOT_PERSONAL)
    is_enabled: Mapped[bool] = mapped_column(server_default="true")
    counts_as_factor: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = created_now()


class LinkedAccount(TenantRow, Base):
    """An account at a provider, named by ``subject``, with which a user signs in; ``email`` is its address when linked.

    A user has one at a provider: whoever gets a colleague's former address there does not get the colleague's user too.
    """

    __tablename__ = "linked_account"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "provider_id", "subject"),
        UniqueConstraint("tenant_id", "provider_id", "user_id"),
        tenant_link("provider_id", "openid_provider", on_delete="CASCADE"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
        Index(None, "tenant_id", "user_id"),
    )

    provider_id: Mapped[int] = mapped_column(BigInteger)
    user_id: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(info=ERASE)
    email: Mapped[str] = mapped_column(info=ERASE)
    linked_at: Mapped[datetime] = created_now()
    last_used_at: Mapped[datetime] = created_now()


class OpenIdVisit(TenantRow, Base):
    """A browser that was sent to a provider and has not come back. Of its state and token only the SHA-256 is kept.

    ``attempt_ids``: rows of ``sign_in_attempt`` that are taken back when it succeeds.
    """

    __tablename__ = "openid_visit"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "state_sha256"),
        tenant_link("provider_id", "openid_provider", on_delete="CASCADE"),
    )

    provider_id: Mapped[int] = mapped_column(BigInteger)
    state_sha256: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    browser_sha256: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    nonce: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    code_verifier: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    wanted_path: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    attempt_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    expires_at: Mapped[datetime]
