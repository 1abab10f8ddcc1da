"""The letters of a job. The index is built while letters come in."""

from django.db import migrations, models


class AddIndexBeside(migrations.AddIndex):
    """Stopped half-way, it is simply run again."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.index.name}")
        schema_editor.execute(self.index.create_sql(model, schema_editor, concurrently=True))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("delivery_gateway", "0012_triage")]

    operations = [
        AddIndexBeside(
            model_name="deadletter",
            index=models.Index(
                condition=models.Q(("replay_job_id__isnull", False)),
                fields=["replay_job_id"],
                name="dead_letters_by_job",
            ),
        ),
    ]
