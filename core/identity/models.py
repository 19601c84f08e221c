"""Plain tables of identity; the web framework's security adapts to them, not the other way round."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.models import (
    ANONYMISE,
    ERASE,
    NOT_PERSONAL,
    Base,
    TenantRow,
    created_now,
    tenant_constraints,
    tenant_link,
)


class PermissionGroup(TenantRow, Base):
    """What its users may do. The owner's group may do everything and sees every row."""

    __tablename__ = "permission_group"
    __table_args__ = tenant_constraints(UniqueConstraint("tenant_id", "name"))

    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    is_owner: Mapped[bool] = mapped_column(server_default="false")


class PermissionGrant(TenantRow, Base):
    """One permission of one permission group."""

    __tablename__ = "permission_grant"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "permission_group_id", "permission"),
        tenant_link("permission_group_id", "permission_group", on_delete="CASCADE"),
    )

    permission_group_id: Mapped[int] = mapped_column(BigInteger)
    permission: Mapped[str] = mapped_column(info=NOT_PERSONAL)


class UserAccount(TenantRow, Base):
    """A person who signs in. Exactly one permission group each (TC-6).

    ``kind``: a ``call_centre`` user takes calls from queues and counts in statistics, a ``back_office`` user has a
    phone or works on tickets and needs no licence for calls (D-FAQ-14). ``business_number`` is in E.164;
    ``sms_sender`` is a number or up to 11 letters and digits. ``list_views`` says by list which columns they see, in
    which order, and how high the rows are.

    Whoever only has a phone has an address that leads nowhere (``naming.no_address``). Of somebody deleted the name
    stays, since their mails and changes carry it: blocked, in no group, and with such an address.
    """

    __tablename__ = "user_account"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "email"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("theme in ('system', 'light', 'dark')", name="theme"),
        CheckConstraint("kind in ('call_centre', 'back_office')", name="kind"),
        CheckConstraint("(deleted_at is null) = (permission_group_id is not null)", name="deleted"),
        CheckConstraint("deleted_at is null or is_blocked", name="deleted_blocked"),
        tenant_link("permission_group_id", "permission_group"),
    )

    email: Mapped[str] = mapped_column(info=ERASE)
    name: Mapped[str] = mapped_column(info=ANONYMISE)
    sort_key: Mapped[bytes] = mapped_column(LargeBinary, info=ANONYMISE)
    password_hash: Mapped[str | None] = mapped_column(info=ERASE)
    permission_group_id: Mapped[int] = mapped_column(BigInteger, nullable=True)  # empty of somebody deleted alone
    kind: Mapped[str] = mapped_column(server_default="call_centre", info=NOT_PERSONAL)
    business_number: Mapped[str] = mapped_column(server_default="", info=ERASE)
    sms_sender: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    locale: Mapped[str] = mapped_column(server_default="en", info=NOT_PERSONAL)
    theme: Mapped[str] = mapped_column(server_default="system", info=NOT_PERSONAL)
    list_views: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", info=NOT_PERSONAL)
    hides_first_steps: Mapped[bool] = mapped_column(server_default="false")
    is_blocked: Mapped[bool] = mapped_column(server_default="false")
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()


class UserGroup(TenantRow, Base):
    """People who belong together; a tree. ``is_position`` marks the permanent root "Position" (TC-16).

    ``position`` orders the groups below one parent; of equals the name decides.
    """

    __tablename__ = "user_group"
    __table_args__ = tenant_constraints(
        tenant_link("parent_id", "user_group"),
        Index("uq_user_group_position", "tenant_id", unique=True, postgresql_where="is_position"),
    )

    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    parent_id: Mapped[int | None] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(server_default="0")
    is_position: Mapped[bool] = mapped_column(server_default="false")


class UserGroupMember(TenantRow, Base):
    """That a user belongs to a user group, and so to the groups above it."""

    __tablename__ = "user_group_member"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "user_id", "user_group_id"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
        tenant_link("user_group_id", "user_group"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger)
    user_group_id: Mapped[int] = mapped_column(BigInteger)


class SignInSession(TenantRow, Base):
    """A signed-in browser. The browser holds a random token, the table only its SHA-256; of its address the network.

    ``told_at``: when its user was told by mail that the browser is new to them. ``is_vouched_for``: whoever signed them
    in answers for their second factor. ``viewed_group_id``: with whose rights an owner looks at the app (``viewing``).
    """

    __tablename__ = "sign_in_session"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "token_sha256"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
        tenant_link("viewed_group_id", "permission_group", on_delete="SET NULL (viewed_group_id)"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger)
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    browser: Mapped[str] = mapped_column(server_default="", info=ERASE)
    network: Mapped[str] = mapped_column(server_default="", info=ERASE)
    is_new_browser: Mapped[bool] = mapped_column(server_default="false")
    is_vouched_for: Mapped[bool] = mapped_column(server_default="false")
    viewed_group_id: Mapped[int | None] = mapped_column(BigInteger)
    viewed_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()
    last_seen_at: Mapped[datetime] = created_now()
    told_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class OneTimeLink(TenantRow, Base):
    """A link by which a user is let in once, such as an invitation. The mail holds the token, the table its SHA-256."""

    __tablename__ = "one_time_link"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "token_sha256"),
        CheckConstraint("kind in ('invitation', 'reset')", name="kind"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
        Index(None, "tenant_id", "user_id", "kind"),
    )

    kind: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    user_id: Mapped[int] = mapped_column(BigInteger)
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    created_at: Mapped[datetime] = created_now()
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class KnownBrowser(TenantRow, Base):
    """A browser in which a user has signed in before. It holds a random token, the table only its SHA-256."""

    __tablename__ = "known_browser"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "user_id", "token_sha256"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger)
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    first_seen_at: Mapped[datetime] = created_now()
    last_seen_at: Mapped[datetime] = created_now()


class SignInAttempt(TenantRow, Base):
    """A failed sign-in, under a keyed hash of the account and of the address that tried."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = tenant_constraints(Index(None, "tenant_id", "subject", "failed_at"))

    subject: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    failed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class SecondFactor(TenantRow, Base):
    """What a user is asked for after the password: the secret of an app that shows codes, and their recovery codes.

    ``secret_sealed`` is encrypted (``core.foundation.sealing``); ``pending_sealed`` is one that was shown and not yet
    confirmed, until ``pending_until``. ``last_step``: the newest step of time whose code was used (RFC 6238, 5.2).
    ``recovery_hashes`` are keyed hashes of the recovery codes that are left.
    """

    __tablename__ = "second_factor"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "user_id"),
        CheckConstraint("(secret_sealed is null) = (app_since is null)", name="app"),
        CheckConstraint("(pending_sealed is null) = (pending_until is null)", name="pending"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger)
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=ERASE)
    app_since: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger, server_default="0")
    pending_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=ERASE)
    pending_until: Mapped[datetime | None]
    recovery_hashes: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), server_default="{}", info=ERASE)


class Passkey(TenantRow, Base):
    """A key pair in a user's phone, computer or password manager (WebAuthn); the table holds its public half.

    ``sign_count``: how often it says it was used; the table's never goes down.
    """

    __tablename__ = "passkey"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "credential_id"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
        Index(None, "tenant_id", "user_id"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(info=ERASE)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    public_key: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = created_now()
    last_used_at: Mapped[datetime | None]


class PasskeyChallenge(TenantRow, Base):
    """What a passkey has to sign, once, in the browser that holds the token of which the table has the SHA-256.

    ``user_id`` is empty where the passkey itself says who signs in.
    """

    __tablename__ = "passkey_challenge"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "token_sha256"),
        CheckConstraint("purpose in ('creation', 'sign_in', 'second_step')", name="purpose"),
        CheckConstraint("(user_id is null) = (purpose = 'sign_in')", name="user"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
        Index(None, "tenant_id", "expires_at"),
    )

    purpose: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    challenge: Mapped[bytes] = mapped_column(LargeBinary, info=NOT_PERSONAL)
    expires_at: Mapped[datetime]


class SecondStep(TenantRow, Base):
    """A browser that gave the right password and is asked for the second factor: it is not signed in.

    It holds a random token, the table only its SHA-256.
    """

    __tablename__ = "second_step"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "token_sha256"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
        Index(None, "tenant_id", "user_id"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger)
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    expires_at: Mapped[datetime]


class SecurityPolicy(TenantRow, Base):
    """What the company asks of everybody's sign-in; without a row nothing but a password."""

    __tablename__ = "security_policy"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id"),
        CheckConstraint("second_factor in ('optional', 'required', 'passkey')", name="second_factor"),
    )

    second_factor: Mapped[str] = mapped_column(server_default="optional", info=NOT_PERSONAL)
