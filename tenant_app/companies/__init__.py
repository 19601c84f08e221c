"""Companies: list, page, form, and the choices that pickers offer."""
