"""Users, what they may do, to which groups they belong, and their sign-ins.

Tables: user_account, permission_group, permission_grant, user_group, user_group_member, sign_in_session,
sign_in_attempt, one_time_link, known_browser; those of ``openid``.
Events: none yet.
"""
