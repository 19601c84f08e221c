"""A company's first day: it is founded with its owner, who is shown the first steps until they are done.

Tables: none of its own; ``user_account.hides_first_steps`` says who wants to see them no more. Events: none.
"""
