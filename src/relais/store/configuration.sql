-- What the data plane reads of the configuration, whole, into an immutable snapshot.

-- name: changes
-- $1 last change number seen. The tables changed since, and the newest number.
SELECT coalesce(max(id), $1)::bigint AS newest, coalesce(array_agg(DISTINCT table_name), '{}') AS tables
FROM config_change WHERE id > $1

-- name: companies
SELECT id, parent_id, enabled FROM parties_company

-- name: legal_entities
SELECT id, company_id FROM parties_legalentity

-- name: agreements
SELECT id, company_id, own_legal_entity_id, agreement_code, currency FROM agreements_agreement

-- name: agreement_versions
SELECT agreement_id, effective_from, effective_till, credit_limit_micros, billing_timezone, billing_period, billing_day,
       split_by_month, tax_bp
FROM agreements_agreementversion ORDER BY agreement_id, effective_from

-- name: reselling_agreements
-- In the order in which they are tried (RSL-45).
SELECT id, legal_entity_id, agreement_id, effective_from, effective_till FROM agreements_resellingagreement
ORDER BY effective_from, id

-- name: enabled_services
-- Of services that are not archived, in the order in which packs are asked (ruling 3). A pack that is to be charged is of no
-- use before it was (ES-80).
SELECT e.id, e.agreement_id, e.service_id, s.type, e.effective_from, e.effective_till
FROM catalog_enabledservice AS e
JOIN catalog_service AS s ON s.id = e.service_id
WHERE s.archived_at IS NULL AND (NOT e.charged OR e.charged_at IS NOT NULL)
ORDER BY e.created_at, e.id

-- name: pack_types
-- $1 ids of enabled packs, also of those that ended: the type of each.
SELECT e.id, s.type FROM catalog_enabledservice AS e JOIN catalog_service AS s ON s.id = e.service_id
WHERE e.id = ANY ($1::bigint[])

-- name: scopes
-- Of several that cover an instant the one created first is used (SV-50).
SELECT id, service_id, effective_from, effective_till FROM catalog_scope WHERE NOT draft ORDER BY id

-- name: rate_node_counts
-- Of each scope in use: how many nodes are in force, and the newest of them.
SELECT n.scope_id, count(*) AS count, max(n.id) AS newest
FROM catalog_ratenode AS n
JOIN catalog_scope AS s ON s.id = n.scope_id
WHERE n.retired_at IS NULL AND NOT s.draft
GROUP BY n.scope_id

-- name: rate_nodes
-- $1 scope ids. Their nodes in force.
SELECT n.id, n.scope_id, n.parent_id, n.domain, n.resource, n.is_others, n.value, n.price_type, n.split_by, n.price_micros,
       n.scale::text AS scale, n.billing_rule, n.quantity_rule, n.counter_id
FROM catalog_ratenode AS n
WHERE n.retired_at IS NULL AND n.scope_id = ANY ($1::bigint[])

-- name: rate_nodes_by_id
-- $1 node ids, retired ones too: messages keep the terms they were reserved with (SV-281).
SELECT id, scope_id, parent_id, domain, resource, is_others, value, price_type, split_by, price_micros,
       scale::text AS scale, billing_rule, quantity_rule, counter_id
FROM catalog_ratenode WHERE id = ANY ($1::bigint[])

-- name: sender_ids
SELECT id, company_id, agreement_id, channel, sender_id, status, smpp_connection_id, second_smpp_connection_id, keyword,
       client_smpp_connection_id, webhook_url, opt_out_words, stop_words, start_words, help_words, stop_answer, start_answer,
       help_answer, is_default, mcc
FROM senders_senderid

-- name: sender_rules
-- What countries take as senders.
SELECT r.country_id, c.name, r.names, r.numbers, r.documents
FROM senders_senderrule AS r JOIN catalog_country AS c ON c.iso = r.country_id

-- name: sender_registrations
-- Those that are approved.
SELECT sender_id, country_id, document_name <> '' AS documented FROM senders_senderregistration WHERE status = 'approved'

-- name: connections
SELECT id, name, host_name, port, system_id, password_encrypted, system_type, use_tls, rps_limit, window_limit, use_tlv,
       inverse_address_mode, disabled, disconnected, reconnect_at, statuses_map::text AS statuses_map,
       options::text AS options, fallback_sender
FROM connections_vendorsmppconnection

-- name: client_connections
SELECT id, name, company_id, network, login, password_encrypted, system_type, ssl_type, default_data_coding, disabled,
       rps_limit, window_limit, sessions_limit
FROM connections_clientsmppconnection

-- name: api_keys
SELECT k.id, k.company_id, k.key_hash, k.rights, k.sandbox, k.webhook_url, k.networks, k.rps_limit, k.expires_at, k.name,
       c.name AS company_name
FROM people_apikey AS k JOIN parties_company AS c ON c.id = k.company_id
WHERE k.revoked_at IS NULL

-- name: final_only_keys
-- Keys whose webhook is told of final statuses only: revoked ones too, since messages accepted before go on.
SELECT id FROM people_apikey WHERE webhook_events = 'final'

-- name: number_prefixes
SELECT prefix, country_id, network_id FROM catalog_numberprefix

-- name: calling_codes
SELECT calling_code, country_id, main, national_lengths FROM catalog_callingcode

-- name: mccs
-- The countries of each MCC.
SELECT c.mcc, array_agg(DISTINCT n.country_id) AS countries
FROM catalog_networkcode AS c JOIN catalog_network AS n ON n.id = c.network_id
GROUP BY c.mcc

-- name: mnp_companies
-- Those that have numbers looked up, as far as it is for them to say: `pipeline.portability` says whose word counts for whom.
SELECT id, mnp_connection_id, mnp_channels FROM parties_company WHERE mnp_requests

-- name: mnp_connections
SELECT id, name, enabled, kind, address, enum_suffix, mcc_path, mnc_path, login, password_encrypted, timeout_ms, lifetime_s,
       lifetimes::text AS lifetimes
FROM connections_mnpconnection

-- name: network_codes
SELECT mccmnc, network_id FROM catalog_networkcode

-- name: networks
-- Each with the lowest of its MCC-MNC codes.
SELECT n.id, n.name, n.operator, n.country_id, min(c.mccmnc) AS mccmnc, min(c.mcc) AS mcc
FROM catalog_network AS n LEFT JOIN catalog_networkcode AS c ON c.network_id = n.id
GROUP BY n.id
