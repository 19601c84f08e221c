"""What users set for themselves: theme and language; and the tenant's colour as a style sheet."""
