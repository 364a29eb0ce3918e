-- What is to be sent, written before anything is done about it. `signer` is the key address of `sender`; nonces are ours alone, so
-- two messages can never be given the same one, and are given in the order of `position`. `signed_message` is the CBOR that is pushed until it landed.
CREATE TABLE messages (
    id CHAR(36) PRIMARY KEY NOT NULL,
    position BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    miner_id BIGINT UNSIGNED NOT NULL,
    purpose VARCHAR(20) NOT NULL,
    run_id BIGINT UNSIGNED DEFAULT NULL,
    sender VARCHAR(100) NOT NULL,
    recipient VARCHAR(100) NOT NULL,
    method BIGINT UNSIGNED NOT NULL,
    params LONGBLOB NOT NULL,
    max_fee DECIMAL(38, 0) NOT NULL,
    expires_epoch BIGINT DEFAULT NULL,
    confidence INT UNSIGNED NOT NULL,
    state VARCHAR(20) NOT NULL,
    signer VARCHAR(100) DEFAULT NULL,
    nonce BIGINT UNSIGNED DEFAULT NULL,
    signed_message LONGBLOB DEFAULT NULL,
    signed_height BIGINT DEFAULT NULL,
    cid VARCHAR(100) DEFAULT NULL,
    exit_code INT DEFAULT NULL,
    height BIGINT DEFAULT NULL,
    error TEXT DEFAULT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE KEY one_message_per_nonce (signer, nonce),
    UNIQUE KEY in_order (position),
    KEY by_state (state, position)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- Versions with lower fees that a later one of the same nonce replaced: any of them may still land.
CREATE TABLE message_versions (
    message_id CHAR(36) NOT NULL,
    cid VARCHAR(100) NOT NULL,
    signed_message LONGBLOB NOT NULL,
    signed_height BIGINT NOT NULL,
    PRIMARY KEY (message_id, cid)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;
