"""Guard rails, notices of traffic, and addresses of notices."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('catalog', '0009_final_nodes'),
        ('parties', '0003_page_fields'),
        ('people', '0011_audit_steps'),
        ('senders', '0009_stop_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Guarded',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('sender', models.CharField(blank=True, db_default='', default='', max_length=100)),
                ('recipient', models.CharField(blank=True, db_default='', default='', max_length=15)),
                ('country', models.CharField(blank=True, db_default='', default='', max_length=2)),
                ('why', models.CharField(choices=[('messages', 'Messages'), ('spend', 'Spend'), ('identical', 'Identical'), ('different', 'Different'), ('link', 'Link')], max_length=30)),
                ('guard_id', models.BigIntegerField()),
                ('detail', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('refused', models.BooleanField(db_default=False, default=False)),
                ('messages', models.IntegerField()),
            ],
            options={
                'db_table': 'guards_guarded',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Cap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('prefix', models.CharField(blank=True, db_default='', default='', max_length=15)),
                ('period', models.CharField(choices=[('hour', 'Hour'), ('day', 'Day')], db_default='day', default='day', max_length=30)),
                ('messages_max', models.IntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(2147483647)])),
                ('spend_max_micros', models.BigIntegerField(blank=True, null=True)),
                ('currency', models.CharField(blank=True, db_default='', default='', max_length=3)),
                ('doing', models.CharField(choices=[('watch', 'Watch'), ('refuse', 'Refuse')], db_default='watch', default='watch', max_length=30)),
                ('note', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('api_key', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.apikey')),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='parties.company')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='parties.company')),
                ('country', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalog.country')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('doing__in', ['watch', 'refuse'])), name='cap_doing'), models.CheckConstraint(condition=models.Q(('period__in', ['hour', 'day'])), name='cap_period'), models.CheckConstraint(condition=models.Q(('prefix__regex', '^[0-9]{0,15}$')), name='cap_prefix', violation_error_message='prefix is digits of a number, country code first'), models.CheckConstraint(condition=models.Q(('messages_max__isnull', True), ('messages_max__gte', 1), _connector='OR'), name='cap_messages'), models.CheckConstraint(condition=models.Q(('messages_max__isnull', False), ('spend_max_micros__isnull', False), _connector='OR'), name='cap_has_a_limit', violation_error_message='messages_max or spend_max is required'), models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), ('spend_max_micros__isnull', True)), models.Q(('spend_max_micros__gt', 0), models.Q(('currency', ''), _negated=True)), _connector='OR'), name='cap_spend_has_a_currency', violation_error_message='spend_max is more than 0 and has a currency')],
            },
        ),
        migrations.CreateModel(
            name='FloodFilter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('identical_max', models.IntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('different_max', models.IntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('doing', models.CharField(choices=[('watch', 'Watch'), ('refuse', 'Refuse')], db_default='watch', default='watch', max_length=30)),
                ('note', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='parties.company')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='parties.company')),
                ('sender', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='senders.senderid')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('doing__in', ['watch', 'refuse'])), name='flood_filter_doing'), models.UniqueConstraint(fields=('company', 'client', 'sender'), name='flood_filter_once', nulls_distinct=False, violation_error_message='client has such a filter already: change that one'), models.CheckConstraint(condition=models.Q(('identical_max__range', (1, 100)), ('different_max__range', (1, 100)), _connector='OR'), name='flood_filter_has_a_limit', violation_error_message='identical_max or different_max is required')],
            },
        ),
        migrations.CreateModel(
            name='LinkList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('hosts', models.TextField(blank=True, db_default='', default='')),
                ('doing', models.CharField(choices=[('watch', 'Watch'), ('refuse', 'Refuse')], db_default='watch', default='watch', max_length=30)),
                ('note', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='parties.company')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='parties.company')),
                ('sender', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='senders.senderid')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('doing__in', ['watch', 'refuse'])), name='link_list_doing'), models.UniqueConstraint(fields=('company', 'sender'), name='link_list_once', violation_error_message='sender has a list already: change that one')],
            },
        ),
        migrations.CreateModel(
            name='NoticeAddresses',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('event', models.CharField(choices=[('traffic', 'Traffic')], db_default='traffic', default='traffic', max_length=30)),
                ('emails', models.CharField(max_length=2000)),
                ('note', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='parties.company')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('event__in', ['traffic'])), name='notice_addresses_event')],
            },
        ),
        migrations.CreateModel(
            name='TrafficNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('trouble', models.CharField(choices=[('failing', 'Failing'), ('silent', 'Silent')], max_length=30)),
                ('at', models.DateTimeField()),
                ('true_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('window_minutes', models.IntegerField()),
                ('messages', models.BigIntegerField()),
                ('failed', models.BigIntegerField()),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='parties.company')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='parties.company')),
                ('sender', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='senders.senderid')),
            ],
            options={
                'indexes': [models.Index(fields=['company', 'at'], name='traffic_notice_company')],
                'constraints': [models.CheckConstraint(condition=models.Q(('trouble__in', ['failing', 'silent'])), name='traffic_notice_trouble'), models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('sender', 'trouble'), name='traffic_notice_stands_once')],
            },
        ),
        migrations.CreateModel(
            name='TrustedNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=15)),
                ('note', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='parties.company')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('company', 'number'), name='trusted_number_once', violation_error_message='number is trusted already'), models.CheckConstraint(condition=models.Q(('number__regex', '^[0-9]{7,15}$')), name='trusted_number_digits')],
            },
        ),
    ]
