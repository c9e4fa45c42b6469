ALTER TABLE people_apikey ADD CONSTRAINT api_key_digest_octets CHECK (octet_length(key_hash) = 32);

SELECT config_watch('people_apikey');
