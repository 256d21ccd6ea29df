"""Steps that act through services: asked, repeated, watched, written in the ledger, undone."""
