"""The ledger of handed-out cards is written by fifty rows a question: it forgets a deleted contact by a trigger.

A foreign key would look at the contact once more for each row. A contact that is deleted in the very moment in which
its card is handed out may leave its id in the ledger; ids are never given twice.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FORGET = """
create function ledger_forgets_contacts() returns trigger language plpgsql as $$
begin
    update synced_client_card s set contact_id = null from gone g
        where s.tenant_id = g.tenant_id and s.contact_id = g.id;
    return null;
end $$;

create trigger ledger_forgets_contacts after delete on contact
    referencing old table as gone for each statement execute function ledger_forgets_contacts();
"""


def upgrade() -> None:
    op.execute(FORGET)
    op.drop_constraint("fk_synced_client_card_tenant_id_contact_id", "synced_client_card")
    op.drop_constraint("uq_synced_client_card_tenant_id_id", "synced_client_card")


def downgrade() -> None:
    op.create_unique_constraint("uq_synced_client_card_tenant_id_id", "synced_client_card", ["tenant_id", "id"])
    op.execute(
        """update synced_client_card s set contact_id = null where contact_id is not null
        and not exists (select from contact c where c.tenant_id = s.tenant_id and c.id = s.contact_id)"""
    )
    op.create_foreign_key(
        "fk_synced_client_card_tenant_id_contact_id",
        "synced_client_card",
        "contact",
        ["tenant_id", "contact_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (contact_id)",
    )
    op.execute("drop trigger ledger_forgets_contacts on contact; drop function ledger_forgets_contacts()")
