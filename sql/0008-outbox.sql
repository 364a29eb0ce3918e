-- Messages whose nonce somebody else gives: `carrier` says who was asked (node or messager) and `uid` under which id. The state
-- `handing` is stored before the question, so that after a crash it is looked for before it is asked again.
ALTER TABLE messages ADD COLUMN carrier VARCHAR(20) DEFAULT NULL;
ALTER TABLE messages ADD COLUMN uid VARCHAR(150) DEFAULT NULL;
-- attoFIL that it cost on the chain, estimated from the base fee at that time; the last day's sum says what a sender needs.
ALTER TABLE messages ADD COLUMN fee DECIMAL(38, 0) DEFAULT NULL;
CREATE INDEX by_signer_and_time ON messages (signer, updated_at);
CREATE INDEX by_uid ON messages (uid);
