"""What a broken constraint of the schema means: the field it concerns and what to do about it.

Names are unique over the schema. A constraint that no form can break has no line here; PostgreSQL's own words stand then.
"""

_TAKEN = "is taken: choose another"
_LATER = "must be later than effective_from"

REASONS: dict[str, tuple[str, str]] = {
    "company_name_once_a_level": ("name", _TAKEN),
    "company_mnp": ("mnp_channels", "choose at least one channel while MNP requests are on"),
    "legal_entity_name_once": ("name", _TAKEN),
    "legal_entity_one_default": ("is_default", "another legal entity of the company is the default"),
    "bank_code_once_a_level": ("branch_code", "another bank has this SWIFT code and branch code"),
    "bank_swift_code": ("swift_code", "must be eight letters and digits"),
    "bank_branch_code": ("branch_code", "must be three letters and digits"),
    "bank_account_name_once": ("name", _TAKEN),
    "bank_account_number_once_a_level": ("account_number", "another account at this bank has it"),
    "bank_account_level": (
        "legal_entity",
        "must be of the company that keeps the account, or of one directly below it",
    ),
    "agreement_code_once_a_company": ("agreement_code", _TAKEN),
    "agreement_legal_entity_of_company": ("legal_entity", "belongs to another company"),
    "agreement_bank_account_of_legal_entity": ("bank_account", "belongs to another legal entity"),
    "agreement_own_bank_account_of_own_legal_entity": ("own_bank_account", "belongs to another legal entity"),
    "agreement_version_ends_after_its_start": ("effective_till", _LATER),
    "agreement_versions_never_overlap": ("effective_from", "overlaps another version"),
    "agreement_version_credit": ("credit_limit_micros", "cannot be negative"),
    "agreement_version_billing_day": (
        "billing_day",
        "billing_day is 1 for daily, 1 to 7 for weekly, 1 to 31 for other periods",
    ),
    "agreement_version_split_by_month": (
        "split_by_month",
        "split_by_month goes with a daily or weekly period only",
    ),
    "reselling_agreement_once": ("effective_from", "this agreement is there already from that moment on"),
    "reselling_agreement_ends_after_its_start": ("effective_till", _LATER),
    "payment_unconfirmed_has_a_deadline": ("confirm_before", "is required while the payment is not confirmed"),
    "payment_automatic_once": ("reference_code", "this transaction is booked already"),
    "service_currency_by_type": (
        "currency",
        "currency goes with pay_as_you_go and monetary_pack, and is required there",
    ),
    "service_size_by_type": ("size", "size goes with packs, and is required there"),
    "scope_ends_after_its_start": ("effective_till", _LATER),
    "enabled_service_ends_after_its_start": ("effective_till", _LATER),
    "enabled_service_channels_never_overlap": ("service", "overlaps another service of the same channel"),
    "network_name_once_a_country": ("name", "another network of this country has it"),
    "network_code_digits": ("mnc", "must be two or three digits, after an MCC of three"),
    "number_prefix_digits": ("prefix", "must be digits only"),
    "sender_id_agreement_of_company": ("agreement", "belongs to another company"),
    "sender_id_once_a_company": ("sender_id", "is taken in this company and channel"),
    "sender_id_one_default": ("is_default", "another sender ID of the company is its default on this channel"),
    "sender_id_notification": (
        "notifications",
        "needs trigger percent (1 to 100), minimal message count and window size (1 or more)",
    ),
    "sender_rule_once_a_country": ("country", "the country has its rule already"),
    "sender_registration_once": ("country", "the sender ID has its registration there already"),
    "smpp_connection_name_once": ("name", _TAKEN),
    "client_smpp_name_once": ("name", _TAKEN),
    "client_smpp_login_once": ("login", _TAKEN),
    "client_smpp_login": ("login", "is required"),
    "mnp_connection_name_once": ("name", _TAKEN),
    "mnp_connection_address": ("address", "is required while the connection is enabled"),
    "mnp_connection_default": ("name", "DEFAULT always exists, under this name"),
    "user_login_once_an_interface": ("login", "login is taken"),
    "user_phone_digits": ("phone", "takes 7 to 15 digits, with the country code"),
    "user_department": ("department", "is required for users of the Client portal, and for nobody else"),
    "role_name_once": ("name", _TAKEN),
    "department_name_once": ("name", _TAKEN),
}
