"""What happened with a customer, in order: activities, their attachments, and the queues where they wait.

Tables: queue, queue_grant, activity, attachment.
Events: none; the features that make activities tell of them.
"""
