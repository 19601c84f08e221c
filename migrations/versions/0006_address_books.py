"""Address books that phones hold: cards, entries, tombstones, synced clients and what each was served."""

import sqlalchemy as sa
from alembic import op

from migrations.book_managers import let_managers_see_books, let_managers_see_granted_books
from migrations.books import create_book_functions, drop_book_functions

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

POLICIES = "('phone_book', 'app_only', 'none')"

TABLES = (
    "card_clock", "card_tombstone", "synced_client", "profile_link", "synced_client_book", "address_book_entry",
    "card_revision", "contact_card", "synced_client_card",
)  # fmt: skip

SEEN = "((select app_sees_all()) or {column} = any((select app_seen('{kind}'))::bigint[]))"

VISIBILITY = {
    "address_book_entry": SEEN.format(column="address_book_id", kind="books")
    + " and "
    + SEEN.format(column="database_id", kind="databases"),
    "contact_card": SEEN.format(column="database_id", kind="databases"),
    "card_tombstone": SEEN.format(column="address_book_id", kind="books"),
    "card_revision": "exists (select from contact c where c.id = contact_id)",
}


def upgrade() -> None:
    op.create_unique_constraint("uq_contact_tenant_id_id_database_id", "contact", ["tenant_id", "id", "database_id"])
    _create_tables()
    _extend_books()
    for table in TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} to centrala_app "
            "using (tenant_id = (select app_tenant())) with check (tenant_id = (select app_tenant()))"
        )
        op.execute(f"grant select, insert, update, delete on {table} to centrala_app")
    for table, condition in VISIBILITY.items():
        op.execute(
            f"create policy visibility on {table} as restrictive to centrala_app using ({condition}) "
            f"with check ({condition})"
        )
    _make_search_view()
    create_book_functions()
    let_managers_see_books()


def _create_tables() -> None:
    op.create_table(
        "card_clock",
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_card_clock_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_card_clock"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_card_clock_tenant_id_id"),
        sa.UniqueConstraint("tenant_id", name="uq_card_clock_tenant_id"),
    )
    op.create_table(
        "card_tombstone",
        sa.Column("address_book_id", sa.BigInteger(), nullable=False),
        sa.Column("href", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_card_tombstone_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_card_tombstone"),
        sa.UniqueConstraint(
            "tenant_id", "address_book_id", "href", name="uq_card_tombstone_tenant_id_address_book_id_href"
        ),
        sa.UniqueConstraint("tenant_id", "id", name="uq_card_tombstone_tenant_id_id"),
    )
    op.create_index(
        "ix_card_tombstone_tenant_id_address_book_id_version",
        "card_tombstone",
        ["tenant_id", "address_book_id", "version"],
        unique=False,
    )
    op.create_table(
        "synced_client",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), server_default="active", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_user_agent", sa.String(), server_default="", nullable=False),
        sa.Column("wipe_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wipe_served_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wipe_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("state in ('active', 'wiping', 'revoked')", name="state"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user_account.tenant_id", "user_account.id"],
            name="fk_synced_client_tenant_id_user_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_synced_client_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_synced_client"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_synced_client_tenant_id_id"),
        sa.UniqueConstraint("username", name="uq_synced_client_username"),
    )
    op.create_index("ix_synced_client_tenant_id_user_id", "synced_client", ["tenant_id", "user_id"], unique=False)
    op.create_table(
        "profile_link",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["synced_client.tenant_id", "synced_client.id"],
            name="fk_profile_link_tenant_id_client_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_profile_link_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_profile_link"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_profile_link_tenant_id_id"),
        sa.UniqueConstraint("tenant_id", "token_sha256", name="uq_profile_link_tenant_id_token_sha256"),
    )
    op.create_table(
        "synced_client_book",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("address_book_id", sa.BigInteger(), nullable=True),
        sa.Column("served_version", sa.BigInteger(), nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_version", sa.BigInteger(), server_default="-1", nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "address_book_id"],
            ["address_book.tenant_id", "address_book.id"],
            name="fk_synced_client_book_tenant_id_address_book_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["synced_client.tenant_id", "synced_client.id"],
            name="fk_synced_client_book_tenant_id_client_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_synced_client_book_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_synced_client_book"),
        sa.UniqueConstraint(
            "tenant_id",
            "client_id",
            "address_book_id",
            name="uq_synced_client_book_tenant_id_client_id_address_book_id",
            postgresql_nulls_not_distinct=True,
        ),
        sa.UniqueConstraint("tenant_id", "id", name="uq_synced_client_book_tenant_id_id"),
    )
    op.create_table(
        "address_book_entry",
        sa.Column("address_book_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("database_id", sa.BigInteger(), nullable=False),
        sa.Column("href", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "address_book_id"],
            ["address_book.tenant_id", "address_book.id"],
            name="fk_address_book_entry_tenant_id_address_book_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id", "database_id"],
            ["contact.tenant_id", "contact.id", "contact.database_id"],
            name="fk_address_book_entry_tenant_id_contact_id_database_id",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_address_book_entry_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_address_book_entry"),
        sa.UniqueConstraint(
            "tenant_id", "address_book_id", "href", name="uq_address_book_entry_tenant_id_address_book_id_href"
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "contact_id",
            "address_book_id",
            name="uq_address_book_entry_tenant_id_contact_id_address_book_id",
        ),
        sa.UniqueConstraint("tenant_id", "id", name="uq_address_book_entry_tenant_id_id"),
    )
    op.create_index(
        "ix_address_book_entry_listing",
        "address_book_entry",
        ["tenant_id", "address_book_id", "version"],
        unique=False,
        postgresql_include=["href", "contact_id", "database_id"],
    )
    op.create_table(
        "card_revision",
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contact.tenant_id", "contact.id"],
            name="fk_card_revision_tenant_id_contact_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_card_revision_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_card_revision"),
        sa.UniqueConstraint("tenant_id", "contact_id", "version", name="uq_card_revision_tenant_id_contact_id_version"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_card_revision_tenant_id_id"),
    )
    op.create_table(
        "contact_card",
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("database_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("search_words", sa.String(), server_default="", nullable=False),
        sa.Column("search_text", sa.String(), sa.Computed("app_fold(search_words)", persisted=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id", "database_id"],
            ["contact.tenant_id", "contact.id", "contact.database_id"],
            name="fk_contact_card_tenant_id_contact_id_database_id",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_contact_card_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_card"),
        sa.UniqueConstraint("tenant_id", "contact_id", name="uq_contact_card_tenant_id_contact_id"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_contact_card_tenant_id_id"),
    )
    op.create_index(
        "ix_contact_card_tenant_id_search_text",
        "contact_card",
        ["tenant_id", "search_text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_table(
        "synced_client_card",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("address_book_id", sa.BigInteger(), nullable=False),
        sa.Column("href", sa.String(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("card_version", sa.BigInteger(), nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["synced_client.tenant_id", "synced_client.id"],
            name="fk_synced_client_card_tenant_id_client_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contact.tenant_id", "contact.id"],
            name="fk_synced_client_card_tenant_id_contact_id",
            ondelete="SET NULL (contact_id)",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_synced_client_card_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_synced_client_card"),
        sa.UniqueConstraint(
            "tenant_id",
            "client_id",
            "address_book_id",
            "href",
            name="uq_synced_client_card_tenant_id_client_id_address_book_id_href",
        ),
        sa.UniqueConstraint("tenant_id", "id", name="uq_synced_client_card_tenant_id_id"),
    )
    op.create_index(
        "ix_synced_client_card_tenant_id_contact_id_card_version",
        "synced_client_card",
        ["tenant_id", "contact_id", "card_version"],
        unique=False,
    )


def _extend_books() -> None:
    op.add_column("address_book", sa.Column("sync_policy", sa.String(), server_default="app_only", nullable=False))
    op.add_column("address_book", sa.Column("database_id", sa.BigInteger()))
    op.add_column("address_book", sa.Column("version", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(
        "update address_book b set database_id = "
        "(select min(d.id) from contact_database d where d.tenant_id = b.tenant_id)"
    )
    op.alter_column("address_book", "database_id", nullable=False)
    op.create_foreign_key(
        "fk_address_book_tenant_id_database_id",
        "address_book",
        "contact_database",
        ["tenant_id", "database_id"],
        ["tenant_id", "id"],
    )
    op.add_column(
        "address_book_grant", sa.Column("sync_policy", sa.String(), server_default="app_only", nullable=False)
    )
    for table in ("address_book", "address_book_grant"):
        op.create_check_constraint("sync_policy", table, f"sync_policy in {POLICIES}")


def _make_search_view() -> None:
    """As for contacts (0003): a view that uses the trigram index although policies stand above the table."""
    op.execute("create policy search on contact_card for select to centrala_search using (true)")
    op.execute("grant select on contact_card to centrala_search")
    op.execute(
        "create view contact_card_search as select contact_id as id, tenant_id, search_text from contact_card "
        f"where tenant_id = (select app_tenant()) and {VISIBILITY['contact_card']}"
    )
    op.execute("grant select on contact_card_search to centrala_app")
    op.execute("grant create on schema public to centrala_search")
    op.execute("alter view contact_card_search owner to centrala_search")
    op.execute("revoke create on schema public from centrala_search")


def downgrade() -> None:
    let_managers_see_granted_books()
    drop_book_functions()
    op.execute("set role centrala_search; drop view contact_card_search; reset role")
    for table in ("address_book_grant", "address_book"):
        op.drop_constraint("sync_policy", table, type_="check")
        op.drop_column(table, "sync_policy")
    op.drop_column("address_book", "database_id")
    op.drop_column("address_book", "version")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_constraint("uq_contact_tenant_id_id_database_id", "contact")
