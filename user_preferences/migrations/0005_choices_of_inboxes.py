from django.db import migrations, models

SOURCES = [
    ("api", "Api"),
    ("operator", "Operator"),
    ("unsubscribe_link", "Unsubscribe Link"),
    ("preference_page", "Preference Page"),
    ("inbox", "Inbox"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("user_preferences", "0004_consent_log"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="inbox_tokens_from",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="In seconds since 1970: inbox tokens issued before then are void.",
            ),
        ),
        migrations.AlterField(
            model_name="preference",
            name="source",
            field=models.CharField(choices=SOURCES, default="api", max_length=20),
        ),
        migrations.AlterField(
            model_name="consententry",
            name="source",
            field=models.CharField(choices=SOURCES, max_length=20),
        ),
    ]
