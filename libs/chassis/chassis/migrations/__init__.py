"""Schemas, roles, row-level security and Alembic."""

from chassis.migrations.ddl import bus_tables, once_table, tenant_table
from chassis.migrations.job import Migrated, Planned, current_revision, migrate, preview
from chassis.migrations.serves import MigrationRefused
from chassis.revision import expected_revision, installed_services

__all__ = [
    "Migrated",
    "MigrationRefused",
    "Planned",
    "bus_tables",
    "current_revision",
    "expected_revision",
    "installed_services",
    "migrate",
    "once_table",
    "preview",
    "tenant_table",
]
