"""E-mail in and out: taken in raw, parsed apart, threaded into tickets, sent from an outbox.

Tables: mail_address (read before a tenant is known), inbound_mail, mail_message, mail_participant, outbound_mail.
Events: MailFiled, MailQueued.
"""
