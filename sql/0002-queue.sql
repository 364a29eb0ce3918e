-- What `tasks` has no column for. A row stays when its task is archived, so that attempt numbers only grow.
-- Times are milliseconds of the database's clock, unlike the seconds of `tasks`.
CREATE TABLE task_details (
    task_id CHAR(32) PRIMARY KEY NOT NULL,
    miner_id BIGINT UNSIGNED NOT NULL,
    proof_type VARCHAR(40) NOT NULL,
    sector_count INT UNSIGNED NOT NULL,
    close_at BIGINT DEFAULT NULL,
    queued_at BIGINT NOT NULL,
    last_attempt INT UNSIGNED NOT NULL DEFAULT 0,
    retry_at BIGINT NOT NULL DEFAULT 0,
    retry_elsewhere TINYINT NOT NULL DEFAULT 0
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- A lease. It lives while `ended_at` is NULL, and only then can it write.
CREATE TABLE task_attempts (
    task_id CHAR(32) NOT NULL,
    attempt INT UNSIGNED NOT NULL,
    slave VARCHAR(100) NOT NULL,
    phase VARCHAR(20) DEFAULT NULL,
    done INT UNSIGNED NOT NULL DEFAULT 0,
    total INT UNSIGNED NOT NULL DEFAULT 0,
    started_at BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    progress_at BIGINT NOT NULL,
    ended_at BIGINT DEFAULT NULL,
    outcome VARCHAR(20) DEFAULT NULL,
    reason TEXT DEFAULT NULL,
    PRIMARY KEY (task_id, attempt),
    KEY live (ended_at)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;
