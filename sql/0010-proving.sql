-- Miners of which one real partition went the whole way on this network: proven by a slave, and verified here.
CREATE TABLE first_run_gates (
    miner_id BIGINT UNSIGNED NOT NULL,
    network VARCHAR(100) NOT NULL,
    passed_by VARCHAR(20) NOT NULL,
    task_id CHAR(32) DEFAULT NULL,
    passed_at BIGINT NOT NULL,
    PRIMARY KEY (miner_id, network)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- Locked by whoever declares recoveries for this window, so that no sector is declared twice.
CREATE TABLE recovery_windows (
    miner_id BIGINT UNSIGNED NOT NULL,
    deadline SMALLINT UNSIGNED NOT NULL,
    open_epoch BIGINT NOT NULL,
    PRIMARY KEY (miner_id, deadline, open_epoch)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- Messages that a manager with --shadow would have sent, one row for each as soon as it was due. `posted` says, from the chain, whether
-- somebody else had its partitions proven before Close; null while that is open, and for messages that are no proofs.
CREATE TABLE shadow_messages (
    message_id CHAR(36) PRIMARY KEY NOT NULL,
    miner_id BIGINT UNSIGNED NOT NULL,
    purpose VARCHAR(20) NOT NULL,
    deadline SMALLINT UNSIGNED DEFAULT NULL,
    partitions TEXT DEFAULT NULL,
    open_epoch BIGINT DEFAULT NULL,
    close_epoch BIGINT DEFAULT NULL,
    due_height BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    refusal TEXT DEFAULT NULL,
    fee DECIMAL(38, 0) DEFAULT NULL,
    ended_height BIGINT DEFAULT NULL,
    posted TINYINT DEFAULT NULL,
    KEY by_miner (miner_id, due_height)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;
