"""Orchestration by Prefect: deployments, schedules, the reconciliation of both with the catalog, `aggflow up`.

The catalog is the truth.  A workspace never calls Prefect: what it wants is written to its outbox, and a
pass of `reconcile` carries it out.  So nothing is lost while Prefect is away.
"""
