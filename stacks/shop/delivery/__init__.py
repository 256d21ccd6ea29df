"""How it gets there: carriers, delivery slots, shipments and their tracking."""
