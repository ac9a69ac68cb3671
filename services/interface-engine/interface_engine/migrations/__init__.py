"""Alembic versions of the interface engine's schema."""
