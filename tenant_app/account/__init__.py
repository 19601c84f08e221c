"""What users look after themselves: where they are signed in, and how they prove that it is they."""
