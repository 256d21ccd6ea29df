"""Who buys: customers, their addresses and direct debit mandates, and what they were told."""
