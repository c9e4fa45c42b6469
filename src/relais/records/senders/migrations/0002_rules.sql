ALTER TABLE senders_senderid
    ADD CONSTRAINT sender_id_agreement_of_company
        FOREIGN KEY (agreement_id, company_id) REFERENCES agreements_agreement (id, company_id);

SELECT config_watch('senders_senderid');
