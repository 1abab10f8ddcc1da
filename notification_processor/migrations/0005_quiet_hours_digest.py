"""One more word for what becomes of a message for whom it is quiet. Nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notification_processor", "0004_quiet_hours"),
    ]

    operations = [
        migrations.AlterField(
            model_name="workflow",
            name="quiet_hours",
            field=models.CharField(
                choices=[
                    ("hold", "sent when they are over"),
                    ("digest", "sent as one digest when they are over"),
                    ("drop", "not sent at all"),
                    ("ignore", "sent all the same"),
                ],
                db_default="hold",
                default="hold",
                help_text="What becomes of a message for whom it is quiet.",
                max_length=10,
            ),
        ),
    ]
