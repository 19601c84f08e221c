"""Contacts and companies, in databases and address books that not everybody may see.

Tables: contact_database, contact_database_grant, company, company_phone,
company_email, contact, contact_phone, contact_email.
Events: ContactSaved, ContactDeleted, CompanySaved, BookChanged, ClientRevoked.
"""
