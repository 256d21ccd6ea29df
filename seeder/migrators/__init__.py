"""How schemas move: one migrator per tool."""
