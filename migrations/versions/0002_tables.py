"""All tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tenant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), server_default="en", nullable=False),
        sa.Column("country", sa.String(), server_default="CZ", nullable=False),
        sa.Column("time_zone", sa.String(), server_default="Europe/Prague", nullable=False),
        sa.Column("accent", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("realm", name=op.f("uq_tenant_realm")),
    )
    op.create_table(
        "address_book",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("everyone_sees", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_address_book_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_book")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_address_book_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_address_book_tenant_id_name")),
    )
    op.create_table(
        "blob",
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("key_name", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_blob_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blob")),
        sa.UniqueConstraint("location", name=op.f("uq_blob_location")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_blob_tenant_id_id")),
    )
    op.create_table(
        "change",
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("door", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_change_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_change_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_change_tenant_id_subject_kind_subject_id_id"),
        "change",
        ["tenant_id", "subject_kind", "subject_id", "id"],
        unique=False,
    )
    op.create_table(
        "contact_database",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("everyone_sees", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_contact_database_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_database")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_contact_database_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_contact_database_tenant_id_name")),
    )
    op.create_table(
        "event",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_event_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_event_tenant_id_id")),
    )
    op.create_table(
        "job",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("running_by", sa.String(), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_job_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_job_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_job_due_at"), "job", ["due_at"], unique=False, postgresql_where=sa.text("failed_at is null")
    )
    op.create_table(
        "permission_group",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_owner", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_permission_group_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permission_group")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_permission_group_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_permission_group_tenant_id_name")),
    )
    op.create_table(
        "queue",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("everyone_sees", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("channel in ('email', 'call', 'sms')", name=op.f("ck_queue_channel")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_queue_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_queue_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_queue_tenant_id_name")),
    )
    op.create_table(
        "read_event",
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("door", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_read_event_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read_event")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_read_event_tenant_id_id")),
    )
    op.create_index(op.f("ix_read_event_tenant_id_read_at"), "read_event", ["tenant_id", "read_at"], unique=False)
    op.create_index(
        op.f("ix_read_event_tenant_id_subject_ids"),
        "read_event",
        ["tenant_id", "subject_ids"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column(
            "failed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_sign_in_attempt_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_sign_in_attempt_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_sign_in_attempt_tenant_id_subject_failed_at"),
        "sign_in_attempt",
        ["tenant_id", "subject", "failed_at"],
        unique=False,
    )
    op.create_table(
        "tenant_host",
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), server_default="true", nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_tenant_host_tenant_id")),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_tenant_host")),
    )
    op.create_table(
        "ticket_category",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("everyone_sees", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_ticket_category_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_category")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_ticket_category_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_ticket_category_tenant_id_name")),
    )
    op.create_table(
        "ticket_counter",
        sa.Column("last_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_ticket_counter_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_counter")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_ticket_counter_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_ticket_counter_tenant_id")),
    )
    op.create_table(
        "user_group",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("is_position", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent_id"],
            ["user_group.tenant_id", "user_group.id"],
            name=op.f("fk_user_group_tenant_id_parent_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_user_group_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_group")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_user_group_tenant_id_id")),
    )
    op.create_index("uq_user_group_position", "user_group", ["tenant_id"], unique=True, postgresql_where="is_position")
    op.create_table(
        "address_book_grant",
        sa.Column("user_group_id", sa.BigInteger(), nullable=False),
        sa.Column("address_book_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "address_book_id"],
            ["address_book.tenant_id", "address_book.id"],
            name=op.f("fk_address_book_grant_tenant_id_address_book_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_group_id"],
            ["user_group.tenant_id", "user_group.id"],
            name=op.f("fk_address_book_grant_tenant_id_user_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_address_book_grant_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_book_grant")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_address_book_grant_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "user_group_id",
            "address_book_id",
            name=op.f("uq_address_book_grant_tenant_id_user_group_id_address_book_id"),
        ),
    )
    op.create_table(
        "contact_database_grant",
        sa.Column("user_group_id", sa.BigInteger(), nullable=False),
        sa.Column("database_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "database_id"],
            ["contact_database.tenant_id", "contact_database.id"],
            name=op.f("fk_contact_database_grant_tenant_id_database_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_group_id"],
            ["user_group.tenant_id", "user_group.id"],
            name=op.f("fk_contact_database_grant_tenant_id_user_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_contact_database_grant_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_database_grant")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_contact_database_grant_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "user_group_id",
            "database_id",
            name=op.f("uq_contact_database_grant_tenant_id_user_group_id_database_id"),
        ),
    )
    op.create_table(
        "mail_address",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("queue_id", sa.BigInteger(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "category_id"],
            ["ticket_category.tenant_id", "ticket_category.id"],
            name=op.f("fk_mail_address_tenant_id_category_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "queue_id"],
            ["queue.tenant_id", "queue.id"],
            name=op.f("fk_mail_address_tenant_id_queue_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_mail_address_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_address")),
        sa.UniqueConstraint("address", name=op.f("uq_mail_address_address")),
    )
    op.create_table(
        "permission_grant",
        sa.Column("permission_group_id", sa.BigInteger(), nullable=False),
        sa.Column("permission", sa.String(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "permission_group_id"],
            ["permission_group.tenant_id", "permission_group.id"],
            name=op.f("fk_permission_grant_tenant_id_permission_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_permission_grant_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permission_grant")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_permission_grant_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "permission_group_id",
            "permission",
            name=op.f("uq_permission_grant_tenant_id_permission_group_id_permission"),
        ),
    )
    op.create_table(
        "queue_grant",
        sa.Column("user_group_id", sa.BigInteger(), nullable=False),
        sa.Column("queue_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "queue_id"],
            ["queue.tenant_id", "queue.id"],
            name=op.f("fk_queue_grant_tenant_id_queue_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_group_id"],
            ["user_group.tenant_id", "user_group.id"],
            name=op.f("fk_queue_grant_tenant_id_user_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_queue_grant_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_grant")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_queue_grant_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "user_group_id",
            "queue_id",
            name=op.f("uq_queue_grant_tenant_id_user_group_id_queue_id"),
        ),
    )
    op.create_table(
        "ticket_category_grant",
        sa.Column("user_group_id", sa.BigInteger(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "category_id"],
            ["ticket_category.tenant_id", "ticket_category.id"],
            name=op.f("fk_ticket_category_grant_tenant_id_category_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_group_id"],
            ["user_group.tenant_id", "user_group.id"],
            name=op.f("fk_ticket_category_grant_tenant_id_user_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_ticket_category_grant_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_category_grant")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_ticket_category_grant_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "user_group_id",
            "category_id",
            name=op.f("uq_ticket_category_grant_tenant_id_user_group_id_category_id"),
        ),
    )
    op.create_table(
        "user_account",
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sort_key", sa.LargeBinary(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("permission_group_id", sa.BigInteger(), nullable=False),
        sa.Column("locale", sa.String(), server_default="en", nullable=False),
        sa.Column("theme", sa.String(), server_default="system", nullable=False),
        sa.Column("is_blocked", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("theme in ('system', 'light', 'dark')", name=op.f("ck_user_account_theme")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_user_account_email_lower")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "permission_group_id"],
            ["permission_group.tenant_id", "permission_group.id"],
            name=op.f("fk_user_account_tenant_id_permission_group_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_user_account_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("tenant_id", "email", name=op.f("uq_user_account_tenant_id_email")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_user_account_tenant_id_id")),
    )
    op.create_table(
        "company",
        sa.Column("database_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sort_key", sa.LargeBinary(), nullable=False),
        sa.Column("registration_number", sa.String(), server_default="", nullable=False),
        sa.Column("vat_number", sa.String(), server_default="", nullable=False),
        sa.Column("website", sa.String(), server_default="", nullable=False),
        sa.Column("street", sa.String(), server_default="", nullable=False),
        sa.Column("city", sa.String(), server_default="", nullable=False),
        sa.Column("postal_code", sa.String(), server_default="", nullable=False),
        sa.Column("country", sa.String(), server_default="", nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("search_words", sa.String(), server_default="", nullable=False),
        sa.Column("search_text", sa.String(), sa.Computed("app_fold(search_words)", persisted=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "database_id"],
            ["contact_database.tenant_id", "contact_database.id"],
            name=op.f("fk_company_tenant_id_database_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["user_account.tenant_id", "user_account.id"],
            name=op.f("fk_company_tenant_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_company_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_company_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_company_tenant_id_search_text"),
        "company",
        ["tenant_id", "search_text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_index(op.f("ix_company_tenant_id_sort_key_id"), "company", ["tenant_id", "sort_key", "id"], unique=False)
    op.create_table(
        "sign_in_session",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("browser", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user_account.tenant_id", "user_account.id"],
            name=op.f("fk_sign_in_session_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_sign_in_session_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_session")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_sign_in_session_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "token_sha256", name=op.f("uq_sign_in_session_tenant_id_token_sha256")),
    )
    op.create_table(
        "user_group_member",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("user_group_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_group_id"],
            ["user_group.tenant_id", "user_group.id"],
            name=op.f("fk_user_group_member_tenant_id_user_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user_account.tenant_id", "user_account.id"],
            name=op.f("fk_user_group_member_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_user_group_member_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_group_member")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_user_group_member_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "user_id",
            "user_group_id",
            name=op.f("uq_user_group_member_tenant_id_user_id_user_group_id"),
        ),
    )
    op.create_table(
        "company_email",
        sa.Column("company_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("address_lower", sa.String(), nullable=False),
        sa.Column("label", sa.String(), server_default="", nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["company.tenant_id", "company.id"],
            name=op.f("fk_company_email_tenant_id_company_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_company_email_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_email")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_company_email_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_company_email_tenant_id_address_lower"),
        "company_email",
        ["tenant_id", "address_lower"],
        unique=False,
    )
    op.create_index(
        op.f("ix_company_email_tenant_id_company_id"),
        "company_email",
        ["tenant_id", "company_id"],
        unique=False,
    )
    op.create_table(
        "company_phone",
        sa.Column("company_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("label", sa.String(), server_default="", nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["company.tenant_id", "company.id"],
            name=op.f("fk_company_phone_tenant_id_company_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_company_phone_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_phone")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_company_phone_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_company_phone_tenant_id_company_id"),
        "company_phone",
        ["tenant_id", "company_id"],
        unique=False,
    )
    op.create_index(op.f("ix_company_phone_tenant_id_number"), "company_phone", ["tenant_id", "number"], unique=False)
    op.create_table(
        "contact",
        sa.Column("database_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sort_key", sa.LargeBinary(), nullable=False),
        sa.Column("company_id", sa.BigInteger(), nullable=True),
        sa.Column("job_title", sa.String(), server_default="", nullable=False),
        sa.Column("street", sa.String(), server_default="", nullable=False),
        sa.Column("city", sa.String(), server_default="", nullable=False),
        sa.Column("postal_code", sa.String(), server_default="", nullable=False),
        sa.Column("country", sa.String(), server_default="", nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("search_words", sa.String(), server_default="", nullable=False),
        sa.Column("search_text", sa.String(), sa.Computed("app_fold(search_words)", persisted=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_contact_named")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["company.tenant_id", "company.id"],
            name=op.f("fk_contact_tenant_id_company_id"),
            ondelete="SET NULL (company_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "database_id"],
            ["contact_database.tenant_id", "contact_database.id"],
            name=op.f("fk_contact_tenant_id_database_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["user_account.tenant_id", "user_account.id"],
            name=op.f("fk_contact_tenant_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_contact_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_contact_tenant_id_id")),
    )
    op.create_index(op.f("ix_contact_tenant_id_company_id"), "contact", ["tenant_id", "company_id"], unique=False)
    op.create_index(
        op.f("ix_contact_tenant_id_search_text"),
        "contact",
        ["tenant_id", "search_text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_index(op.f("ix_contact_tenant_id_sort_key_id"), "contact", ["tenant_id", "sort_key", "id"], unique=False)
    op.create_table(
        "contact_email",
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("address_lower", sa.String(), nullable=False),
        sa.Column("label", sa.String(), server_default="", nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contact.tenant_id", "contact.id"],
            name=op.f("fk_contact_email_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_contact_email_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_email")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_contact_email_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_contact_email_tenant_id_address_lower"),
        "contact_email",
        ["tenant_id", "address_lower"],
        unique=False,
    )
    op.create_index(
        op.f("ix_contact_email_tenant_id_contact_id"),
        "contact_email",
        ["tenant_id", "contact_id"],
        unique=False,
    )
    op.create_table(
        "contact_phone",
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("label", sa.String(), server_default="", nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contact.tenant_id", "contact.id"],
            name=op.f("fk_contact_phone_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_contact_phone_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_phone")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_contact_phone_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_contact_phone_tenant_id_contact_id"),
        "contact_phone",
        ["tenant_id", "contact_id"],
        unique=False,
    )
    op.create_index(op.f("ix_contact_phone_tenant_id_number"), "contact_phone", ["tenant_id", "number"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="open", nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("queue_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("company_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("requester", sa.String(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("search_words", sa.String(), server_default="", nullable=False),
        sa.Column("search_text", sa.String(), sa.Computed("app_fold(search_words)", persisted=True), nullable=False),
        sa.Column("last_activity_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("status in ('open', 'waiting', 'closed')", name=op.f("ck_ticket_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "category_id"],
            ["ticket_category.tenant_id", "ticket_category.id"],
            name=op.f("fk_ticket_tenant_id_category_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["company.tenant_id", "company.id"],
            name=op.f("fk_ticket_tenant_id_company_id"),
            ondelete="SET NULL (company_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contact.tenant_id", "contact.id"],
            name=op.f("fk_ticket_tenant_id_contact_id"),
            ondelete="SET NULL (contact_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["user_account.tenant_id", "user_account.id"],
            name=op.f("fk_ticket_tenant_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "queue_id"],
            ["queue.tenant_id", "queue.id"],
            name=op.f("fk_ticket_tenant_id_queue_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_ticket_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_ticket_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_ticket_tenant_id_number")),
    )
    op.create_index(op.f("ix_ticket_tenant_id_company_id"), "ticket", ["tenant_id", "company_id"], unique=False)
    op.create_index(op.f("ix_ticket_tenant_id_contact_id"), "ticket", ["tenant_id", "contact_id"], unique=False)
    op.create_index(
        op.f("ix_ticket_tenant_id_last_activity_at_id"),
        "ticket",
        ["tenant_id", "last_activity_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_ticket_tenant_id_search_text"),
        "ticket",
        ["tenant_id", "search_text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_index(
        op.f("ix_ticket_tenant_id_status_last_activity_at_id"),
        "ticket",
        ["tenant_id", "status", "last_activity_at", "id"],
        unique=False,
    )
    op.create_table(
        "activity",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("company_id", sa.BigInteger(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("queue_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("direction in ('in', 'out', 'none')", name=op.f("ck_activity_direction")),
        sa.CheckConstraint(
            "kind in ('call', 'email', 'sms', 'note', 'meeting', 'task', 'form')",
            name=op.f("ck_activity_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["company.tenant_id", "company.id"],
            name=op.f("fk_activity_tenant_id_company_id"),
            ondelete="SET NULL (company_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contact.tenant_id", "contact.id"],
            name=op.f("fk_activity_tenant_id_contact_id"),
            ondelete="SET NULL (contact_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "queue_id"],
            ["queue.tenant_id", "queue.id"],
            name=op.f("fk_activity_tenant_id_queue_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["ticket.tenant_id", "ticket.id"],
            name=op.f("fk_activity_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user_account.tenant_id", "user_account.id"],
            name=op.f("fk_activity_tenant_id_user_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_activity_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_activity_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_activity_tenant_id_company_id_occurred_at_id"),
        "activity",
        ["tenant_id", "company_id", "occurred_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_activity_tenant_id_contact_id_occurred_at_id"),
        "activity",
        ["tenant_id", "contact_id", "occurred_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_activity_tenant_id_ticket_id_occurred_at_id"),
        "activity",
        ["tenant_id", "ticket_id", "occurred_at", "id"],
        unique=False,
    )
    op.create_table(
        "mail_participant",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("address_lower", sa.String(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["ticket.tenant_id", "ticket.id"],
            name=op.f("fk_mail_participant_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_mail_participant_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_participant")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_mail_participant_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "ticket_id",
            "address_lower",
            name=op.f("uq_mail_participant_tenant_id_ticket_id_address_lower"),
        ),
    )
    op.create_table(
        "attachment",
        sa.Column("activity_id", sa.BigInteger(), nullable=False),
        sa.Column("blob_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("content_id", sa.String(), nullable=True),
        sa.Column("is_inline", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["activity.tenant_id", "activity.id"],
            name=op.f("fk_attachment_tenant_id_activity_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "blob_id"],
            ["blob.tenant_id", "blob.id"],
            name=op.f("fk_attachment_tenant_id_blob_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_attachment_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_attachment_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_attachment_tenant_id_activity_id"), "attachment", ["tenant_id", "activity_id"], unique=False
    )
    op.create_table(
        "inbound_mail",
        sa.Column("blob_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("mail_address_id", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="received", nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("activity_id", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("state in ('received', 'filed', 'unreadable')", name=op.f("ck_inbound_mail_state")),
        sa.ForeignKeyConstraint(["mail_address_id"], ["mail_address.id"], name=op.f("fk_inbound_mail_mail_address_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["activity.tenant_id", "activity.id"],
            name=op.f("fk_inbound_mail_tenant_id_activity_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "blob_id"],
            ["blob.tenant_id", "blob.id"],
            name=op.f("fk_inbound_mail_tenant_id_blob_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_inbound_mail_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_mail")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_inbound_mail_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_inbound_mail_tenant_id_activity_id"),
        "inbound_mail",
        ["tenant_id", "activity_id"],
        unique=False,
    )
    op.create_index(op.f("ix_inbound_mail_tenant_id_sha256"), "inbound_mail", ["tenant_id", "sha256"], unique=False)
    op.create_table(
        "mail_message",
        sa.Column("activity_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("in_reply_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sender", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recipients", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("copies", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body_text", sa.String(), nullable=False),
        sa.Column("body_html", sa.String(), nullable=True),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["activity.tenant_id", "activity.id"],
            name=op.f("fk_mail_message_tenant_id_activity_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_mail_message_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_message")),
        sa.UniqueConstraint("tenant_id", "activity_id", name=op.f("uq_mail_message_tenant_id_activity_id")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_mail_message_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_mail_message_tenant_id_message_id"),
        "mail_message",
        ["tenant_id", "message_id"],
        unique=False,
    )
    op.create_table(
        "outbound_mail",
        sa.Column("activity_id", sa.BigInteger(), nullable=False),
        sa.Column("blob_id", sa.BigInteger(), nullable=False),
        sa.Column("envelope_from", sa.String(), nullable=False),
        sa.Column("envelope_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.String(), server_default="queued", nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sending_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint(
            "state in ('queued', 'sending', 'sent', 'held', 'refused', 'uncertain')",
            name=op.f("ck_outbound_mail_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["activity.tenant_id", "activity.id"],
            name=op.f("fk_outbound_mail_tenant_id_activity_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "blob_id"],
            ["blob.tenant_id", "blob.id"],
            name=op.f("fk_outbound_mail_tenant_id_blob_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_outbound_mail_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbound_mail")),
        sa.UniqueConstraint("tenant_id", "activity_id", name=op.f("uq_outbound_mail_tenant_id_activity_id")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_outbound_mail_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_outbound_mail_tenant_id_state_id"),
        "outbound_mail",
        ["tenant_id", "state", "id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_outbound_mail_tenant_id_state_id"), table_name="outbound_mail")
    op.drop_table("outbound_mail")
    op.drop_index(op.f("ix_mail_message_tenant_id_message_id"), table_name="mail_message")
    op.drop_table("mail_message")
    op.drop_index(op.f("ix_inbound_mail_tenant_id_sha256"), table_name="inbound_mail")
    op.drop_index(op.f("ix_inbound_mail_tenant_id_activity_id"), table_name="inbound_mail")
    op.drop_table("inbound_mail")
    op.drop_index(op.f("ix_attachment_tenant_id_activity_id"), table_name="attachment")
    op.drop_table("attachment")
    op.drop_table("mail_participant")
    op.drop_index(op.f("ix_activity_tenant_id_ticket_id_occurred_at_id"), table_name="activity")
    op.drop_index(op.f("ix_activity_tenant_id_contact_id_occurred_at_id"), table_name="activity")
    op.drop_index(op.f("ix_activity_tenant_id_company_id_occurred_at_id"), table_name="activity")
    op.drop_table("activity")
    op.drop_index(op.f("ix_ticket_tenant_id_status_last_activity_at_id"), table_name="ticket")
    op.drop_index(
        op.f("ix_ticket_tenant_id_search_text"),
        table_name="ticket",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.drop_index(op.f("ix_ticket_tenant_id_last_activity_at_id"), table_name="ticket")
    op.drop_index(op.f("ix_ticket_tenant_id_contact_id"), table_name="ticket")
    op.drop_index(op.f("ix_ticket_tenant_id_company_id"), table_name="ticket")
    op.drop_table("ticket")
    op.drop_index(op.f("ix_contact_phone_tenant_id_number"), table_name="contact_phone")
    op.drop_index(op.f("ix_contact_phone_tenant_id_contact_id"), table_name="contact_phone")
    op.drop_table("contact_phone")
    op.drop_index(op.f("ix_contact_email_tenant_id_contact_id"), table_name="contact_email")
    op.drop_index(op.f("ix_contact_email_tenant_id_address_lower"), table_name="contact_email")
    op.drop_table("contact_email")
    op.drop_index(op.f("ix_contact_tenant_id_sort_key_id"), table_name="contact")
    op.drop_index(
        op.f("ix_contact_tenant_id_search_text"),
        table_name="contact",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.drop_index(op.f("ix_contact_tenant_id_company_id"), table_name="contact")
    op.drop_table("contact")
    op.drop_index(op.f("ix_company_phone_tenant_id_number"), table_name="company_phone")
    op.drop_index(op.f("ix_company_phone_tenant_id_company_id"), table_name="company_phone")
    op.drop_table("company_phone")
    op.drop_index(op.f("ix_company_email_tenant_id_company_id"), table_name="company_email")
    op.drop_index(op.f("ix_company_email_tenant_id_address_lower"), table_name="company_email")
    op.drop_table("company_email")
    op.drop_table("user_group_member")
    op.drop_table("sign_in_session")
    op.drop_index(op.f("ix_company_tenant_id_sort_key_id"), table_name="company")
    op.drop_index(
        op.f("ix_company_tenant_id_search_text"),
        table_name="company",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.drop_table("company")
    op.drop_table("user_account")
    op.drop_table("ticket_category_grant")
    op.drop_table("queue_grant")
    op.drop_table("permission_grant")
    op.drop_table("mail_address")
    op.drop_table("contact_database_grant")
    op.drop_table("address_book_grant")
    op.drop_index("uq_user_group_position", table_name="user_group", postgresql_where="is_position")
    op.drop_table("user_group")
    op.drop_table("ticket_counter")
    op.drop_table("ticket_category")
    op.drop_table("tenant_host")
    op.drop_index(op.f("ix_sign_in_attempt_tenant_id_subject_failed_at"), table_name="sign_in_attempt")
    op.drop_table("sign_in_attempt")
    op.drop_index(op.f("ix_read_event_tenant_id_subject_ids"), table_name="read_event", postgresql_using="gin")
    op.drop_index(op.f("ix_read_event_tenant_id_read_at"), table_name="read_event")
    op.drop_table("read_event")
    op.drop_table("queue")
    op.drop_table("permission_group")
    op.drop_index(op.f("ix_job_due_at"), table_name="job", postgresql_where=sa.text("failed_at is null"))
    op.drop_table("job")
    op.drop_table("event")
    op.drop_table("contact_database")
    op.drop_index(op.f("ix_change_tenant_id_subject_kind_subject_id_id"), table_name="change")
    op.drop_table("change")
    op.drop_table("blob")
    op.drop_table("address_book")
    op.drop_table("tenant")
