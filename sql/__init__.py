"""The schema as people read it: migrations, views, statements, queries. It travels with the package."""
