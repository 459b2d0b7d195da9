"""How numbers combine: states, built at the source, merged and finished here."""
