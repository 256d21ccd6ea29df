"""How it is paid: authorisations with a fraud check, invoices in several currencies, tax rates."""
