CREATE TABLE IF NOT EXISTS tasks (
    id CHAR(32) PRIMARY KEY NOT NULL,
    in_body LONGBLOB NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT DEFAULT NULL,
    finished_at BIGINT DEFAULT NULL,
    retry_count SMALLINT NOT NULL DEFAULT 0,
    error_reason TEXT DEFAULT NULL,
    out_body LONGBLOB DEFAULT NULL,
    slave VARCHAR(100) DEFAULT NULL,
    heartbeat_at BIGINT DEFAULT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

CREATE TABLE IF NOT EXISTS tasks_archived (
    id CHAR(32) PRIMARY KEY NOT NULL,
    in_body LONGBLOB NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT DEFAULT NULL,
    finished_at BIGINT DEFAULT NULL,
    retry_count SMALLINT NOT NULL DEFAULT 0,
    error_reason TEXT DEFAULT NULL,
    out_body LONGBLOB DEFAULT NULL,
    slave VARCHAR(100) DEFAULT NULL,
    heartbeat_at BIGINT DEFAULT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

CREATE VIEW tasks_view AS
SELECT id,
    in_body,
    FROM_UNIXTIME(created_at, '%Y-%m-%d %H:%i:%s') AS created_at,
    FROM_UNIXTIME(started_at, '%Y-%m-%d %H:%i:%s') AS started_at,
    FROM_UNIXTIME(finished_at, '%Y-%m-%d %H:%i:%s') AS finished_at,
    retry_count,
    error_reason,
    out_body,
    slave,
    FROM_UNIXTIME(heartbeat_at, '%Y-%m-%d %H:%i:%s') AS heartbeat_at
    FROM tasks;
