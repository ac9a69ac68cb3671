"""Alembic versions of the claims gateway's schema."""
