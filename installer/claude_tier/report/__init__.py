"""Questions to the ledger: each a query, a result object, and the text that shows it."""
