"""What people may do and what they see: permission groups, user groups, grants of rows. No tables of its own."""
