-- A run is one proving deadline of one proving period of one miner; everything a restart needs hangs from it.
CREATE TABLE post_runs (
    id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
    miner_id BIGINT UNSIGNED NOT NULL,
    period_start BIGINT NOT NULL,
    deadline SMALLINT UNSIGNED NOT NULL,
    challenge_epoch BIGINT NOT NULL,
    open_epoch BIGINT NOT NULL,
    close_epoch BIGINT NOT NULL,
    proof_type SMALLINT UNSIGNED NOT NULL,
    randomness BINARY(32) NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT DEFAULT NULL,
    UNIQUE KEY one_run_per_deadline (miner_id, period_start, deadline),
    KEY unfinished (miner_id, finished_at)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- `sectors` (to prove at the snapshot), `recovering` and `skipped` are RLE+ bit fields; times are milliseconds.
CREATE TABLE post_partitions (
    run_id BIGINT UNSIGNED NOT NULL,
    partition_index INT UNSIGNED NOT NULL,
    sectors LONGBLOB NOT NULL,
    recovering LONGBLOB NOT NULL,
    skipped LONGBLOB NOT NULL,
    state VARCHAR(20) NOT NULL,
    task_id CHAR(32) DEFAULT NULL,
    proof VARBINARY(192) DEFAULT NULL,
    message_id CHAR(36) DEFAULT NULL,
    solitary TINYINT NOT NULL DEFAULT 0,
    reason TEXT DEFAULT NULL,
    proving_at BIGINT DEFAULT NULL,
    proven_at BIGINT DEFAULT NULL,
    finished_at BIGINT DEFAULT NULL,
    PRIMARY KEY (run_id, partition_index),
    KEY by_message (message_id)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- Sectors declared recovered, one row for each partition of a message.
CREATE TABLE recoveries (
    message_id CHAR(36) NOT NULL,
    miner_id BIGINT UNSIGNED NOT NULL,
    deadline SMALLINT UNSIGNED NOT NULL,
    partition_index INT UNSIGNED NOT NULL,
    open_epoch BIGINT NOT NULL,
    sectors LONGBLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (message_id, partition_index, deadline),
    KEY by_opening (miner_id, deadline, open_epoch)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;
