-- Sector-managers on this database, as `masters`. Which of them leads stands in row 2 of `leadership`, that of the masters being row 1.
CREATE TABLE managers (
    name VARCHAR(100) PRIMARY KEY NOT NULL,
    address VARCHAR(255) NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

INSERT IGNORE INTO leadership (id, epoch, master, taken_at) VALUES (2, 0, '', 0);

-- Conditions that last, told to the webhook or about to be: a manager that takes over goes on with them, and closes those that are
-- over. Times are milliseconds of the manager's clock; told_at is NULL until the webhook has heard of it.
CREATE TABLE alerts (
    id VARCHAR(190) PRIMARY KEY NOT NULL,
    class VARCHAR(50) NOT NULL,
    severity VARCHAR(10) NOT NULL,
    miner_id BIGINT UNSIGNED DEFAULT NULL,
    deadline SMALLINT UNSIGNED DEFAULT NULL,
    text TEXT NOT NULL,
    since BIGINT NOT NULL,
    told_at BIGINT DEFAULT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
