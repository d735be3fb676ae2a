"""All we know of Postgres: the embedded server, the schema, the ledger, the loader, the checks."""
