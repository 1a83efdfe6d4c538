"""What is exported: one visit of a web site."""

from __future__ import annotations

from django.db import models


class VisitRecord(models.Model):
    number = models.IntegerField(primary_key=True)
    at = models.DateTimeField()
    page = models.TextField()
    visitor = models.TextField(null=True)  # noqa: DJ001 - to be exported as NULL

    # Written down: the plugin of mypy adds it only to models of installed applications.
    objects: models.Manager[VisitRecord] = models.Manager()

    class Meta:
        # Tests that only compare import this where the project is not installed.
        app_label = "project"
        db_table = "visit"
        managed = False

    def __str__(self) -> str:
        return f"{self.number}"
