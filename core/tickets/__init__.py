"""Cases: a ticket gathers the activities about one matter until it is closed.

Tables: ticket_category, ticket_category_grant, ticket, ticket_counter.
Events: TicketOpened, TicketChanged.
"""
