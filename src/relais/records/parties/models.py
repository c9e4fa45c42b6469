"""Who deals with whom: the tree of companies, their legal entities, banks and bank accounts.

Further rules stand in migration 0002: a company never moves in the tree (so it has no cycles), and a bank account
knows the level it is kept at.
"""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Replace, Upper

from relais.records.columns import TEXT_LENGTH_MAX, Editable, blank_text, closed_set, flag, name_text, owner

COUNTRY = RegexValidator(r"\A[A-Z]{2}\Z", "an ISO 3166 code of two capitals")
SWIFT = RegexValidator(r"\A[A-Z0-9]{8}\Z", "eight letters and digits, in capitals")
BRANCH = RegexValidator(r"\A[A-Z0-9]{3}\Z", "three letters and digits, in capitals")


class CompanyType(models.TextChoices):
    CLIENT = "client"
    RESELLER = "reseller"


class Channel(models.TextChoices):
    """Every channel of the product, whether senders of it can be made yet or not (SID-10)."""

    SMS = "sms", "SMS"
    RCS = "rcs", "RCS"
    VIBER = "viber", "Viber"
    WHATSAPP = "whatsapp", "WhatsApp"
    WECHAT = "wechat", "WeChat"
    EMAIL = "email", "Email"
    TELEGRAM_GATEWAY = "telegram_gateway", "Telegram Gateway"
    PUSH = "push", "Push"
    TTS = "tts", "TTS"
    VOICE = "voice", "Voice"
    MOBILE_PUSH = "mobile_push", "Mobile Push"


class Company(Editable):
    """A client or a reseller; the one without a parent is the System owner."""

    name = name_text()
    parent = owner("self", null=True, blank=True, related_name="children")
    type = closed_set(CompanyType, default=CompanyType.CLIENT, db_default=CompanyType.CLIENT)
    creator_of_resellers = flag()
    enabled = flag(True)
    description = blank_text(TEXT_LENGTH_MAX)
    own_legal_entity = owner("parties.LegalEntity", null=True, blank=True, related_name="serves")
    moderation = flag()
    two_factor_required = flag()
    # Kept while the requests are off (CO-21). The tenant's to say, also for a reseller's clients (CO-18, CO-64).
    mnp_requests = flag()
    mnp_connection = owner("connections.MnpConnection", null=True, blank=True, related_name="companies")
    mnp_channels = ArrayField(
        models.CharField(max_length=30, choices=Channel.choices), default=list, db_default=[], blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"), "parent", name="company_name_once_a_level", violation_error_message="name is taken"
            ),
            models.UniqueConstraint(
                fields=["parent"], nulls_distinct=False, condition=Q(parent=None), name="company_one_root"
            ),
            models.CheckConstraint(condition=Q(type__in=CompanyType.values), name="company_type"),
            models.CheckConstraint(condition=Q(parent__isnull=False) | Q(type="reseller"), name="company_root_sells"),
            models.CheckConstraint(condition=Q(mnp_requests=False) | ~Q(mnp_channels=[]), name="company_mnp"),
        ]

    def __str__(self) -> str:
        return self.name


class LegalEntity(Editable):
    """The body in whose name a company deals."""

    company = owner("parties.Company", related_name="legal_entities")
    name = name_text()
    legal_company_name = name_text()
    country = models.CharField(max_length=2, validators=[COUNTRY])
    tax_id_number = blank_text(50)
    legal_id_number = blank_text(50)
    vat_id_number = blank_text(50)
    legal_address = blank_text(TEXT_LENGTH_MAX)
    billing_address = blank_text(TEXT_LENGTH_MAX)
    is_default = flag()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"), "company", name="legal_entity_name_once", violation_error_message="name is taken"
            ),
            models.UniqueConstraint(fields=["company"], condition=Q(is_default=True), name="legal_entity_one_default"),
            # What agreements and accounts refer to together with the company, so that the two cannot drift apart.
            models.UniqueConstraint(fields=["id", "company"], name="legal_entity_of_company"),
            models.CheckConstraint(condition=Q(country__regex=r"^[A-Z]{2}$"), name="legal_entity_country"),
        ]

    def __str__(self) -> str:
        return self.name


class Bank(Editable):
    """A bank's profile, kept by one level and usable by every level below it (ruling 22)."""

    company = owner("parties.Company", related_name="banks")
    name = name_text()
    description = blank_text(TEXT_LENGTH_MAX)
    country = models.CharField(max_length=2, validators=[COUNTRY])
    address = models.CharField(max_length=TEXT_LENGTH_MAX)
    swift_code = models.CharField(max_length=8, validators=[SWIFT])
    branch_code = models.CharField(max_length=3, validators=[BRANCH])
    bank_code = blank_text(50)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "swift_code", "branch_code"], name="bank_code_once_a_level"),
            models.CheckConstraint(condition=Q(country__regex=r"^[A-Z]{2}$"), name="bank_country"),
            models.CheckConstraint(condition=Q(swift_code__regex=r"^[A-Z0-9]{8}$"), name="bank_swift_code"),
            models.CheckConstraint(condition=Q(branch_code__regex=r"^[A-Z0-9]{3}$"), name="bank_branch_code"),
        ]

    def __str__(self) -> str:
        return self.name


class BankAccount(Editable):
    """An account of a legal entity. `level` is the company that keeps it: the entity's own, or the one directly above, whose
    it is when nothing is said (BA-20, OBA-24); a trigger holds to that."""

    legal_entity = owner("parties.LegalEntity", related_name="bank_accounts")
    bank = owner("parties.Bank", related_name="accounts")
    level = owner("parties.Company", related_name="+", blank=True, editable=False)
    name = name_text()
    account_holder = name_text()
    account_number = name_text()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"), "legal_entity", name="bank_account_name_once", violation_error_message="name is taken"
            ),
            models.UniqueConstraint(
                Upper(Replace("account_number", models.Value(" "), models.Value(""))),
                "bank",
                "level",
                name="bank_account_number_once_a_level",
            ),
            models.UniqueConstraint(fields=["id", "legal_entity"], name="bank_account_of_legal_entity"),
        ]

    def __str__(self) -> str:
        return self.name
