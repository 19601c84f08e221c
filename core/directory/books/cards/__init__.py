"""vCards as text (RFC 2426, RFC 6350): read their lines, change only those that differ, merge, bring 4.0 to 3.0.

Pure functions. A client's card is never written anew as a whole, since every library loses something of it: an
unescaped comma, a photo in an unusual form, a property that it does not know.
"""
