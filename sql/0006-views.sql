-- For people: states in words, readable times, no bodies. Columns of both task views are the same. Times are in the session's time
-- zone, like those of tasks_view; waited_s is seconds up to the newest attempt, ran_s seconds from its start on.
CREATE VIEW tasks_state_view AS
SELECT task.id AS id,
    detail.miner_id AS miner_id,
    detail.proof_type AS proof_type,
    detail.sector_count AS sectors,
    CASE
        WHEN task.finished_at IS NULL AND task.started_at IS NULL THEN 'waiting'
        WHEN task.finished_at IS NULL THEN 'running'
        WHEN task.out_body IS NOT NULL AND task.error_reason IS NULL THEN 'proven'
        WHEN task.out_body IS NOT NULL THEN 'faulted'
        WHEN task.error_reason LIKE 'cancelled: %' THEN 'cancelled'
        ELSE 'failed'
    END AS state,
    FROM_UNIXTIME(detail.close_at / 1000, '%Y-%m-%d %H:%i:%s') AS close_at,
    FROM_UNIXTIME(task.created_at, '%Y-%m-%d %H:%i:%s') AS created_at,
    FROM_UNIXTIME(task.started_at, '%Y-%m-%d %H:%i:%s') AS started_at,
    FROM_UNIXTIME(task.finished_at, '%Y-%m-%d %H:%i:%s') AS finished_at,
    CAST(GREATEST(0, COALESCE(task.started_at, task.finished_at, UNIX_TIMESTAMP())
        - COALESCE(FLOOR(detail.queued_at / 1000), task.created_at)) AS SIGNED) AS waited_s,
    CAST(GREATEST(0, COALESCE(task.finished_at, UNIX_TIMESTAMP()) - task.started_at) AS SIGNED) AS ran_s,
    CAST(COALESCE(detail.last_attempt, 0) AS SIGNED) AS attempts,
    task.retry_count AS retry_count,
    task.slave AS slave,
    attempt.phase AS phase,
    CASE WHEN attempt.total > 0 THEN CONCAT(attempt.done, '/', attempt.total) END AS progress,
    task.error_reason AS error
    FROM tasks AS task
    LEFT JOIN task_details AS detail ON detail.task_id = task.id
    LEFT JOIN task_attempts AS attempt ON attempt.task_id = task.id AND attempt.attempt = detail.last_attempt;

CREATE VIEW tasks_archived_view AS
SELECT task.id AS id,
    detail.miner_id AS miner_id,
    detail.proof_type AS proof_type,
    detail.sector_count AS sectors,
    CASE
        WHEN task.finished_at IS NULL AND task.started_at IS NULL THEN 'waiting'
        WHEN task.finished_at IS NULL THEN 'running'
        WHEN task.out_body IS NOT NULL AND task.error_reason IS NULL THEN 'proven'
        WHEN task.out_body IS NOT NULL THEN 'faulted'
        WHEN task.error_reason LIKE 'cancelled: %' THEN 'cancelled'
        ELSE 'failed'
    END AS state,
    FROM_UNIXTIME(detail.close_at / 1000, '%Y-%m-%d %H:%i:%s') AS close_at,
    FROM_UNIXTIME(task.created_at, '%Y-%m-%d %H:%i:%s') AS created_at,
    FROM_UNIXTIME(task.started_at, '%Y-%m-%d %H:%i:%s') AS started_at,
    FROM_UNIXTIME(task.finished_at, '%Y-%m-%d %H:%i:%s') AS finished_at,
    CAST(GREATEST(0, COALESCE(task.started_at, task.finished_at, UNIX_TIMESTAMP())
        - COALESCE(FLOOR(detail.queued_at / 1000), task.created_at)) AS SIGNED) AS waited_s,
    CAST(GREATEST(0, COALESCE(task.finished_at, UNIX_TIMESTAMP()) - task.started_at) AS SIGNED) AS ran_s,
    CAST(COALESCE(detail.last_attempt, 0) AS SIGNED) AS attempts,
    task.retry_count AS retry_count,
    task.slave AS slave,
    attempt.phase AS phase,
    CASE WHEN attempt.total > 0 THEN CONCAT(attempt.done, '/', attempt.total) END AS progress,
    task.error_reason AS error
    FROM tasks_archived AS task
    LEFT JOIN task_details AS detail ON detail.task_id = task.id
    LEFT JOIN task_attempts AS attempt ON attempt.task_id = task.id AND attempt.attempt = detail.last_attempt;

-- A slave that lost its master's connection is away; whether its prover is ready only the master knows.
CREATE VIEW slaves_view AS
SELECT slave.name AS name,
    CASE
        WHEN slave.drained = 1 AND slave.left_at IS NULL AND live.running > 0 THEN 'draining'
        WHEN slave.drained = 1 THEN 'drained'
        WHEN slave.left_at IS NOT NULL THEN 'away'
        WHEN slave.held_until > UNIX_TIMESTAMP(NOW(3)) * 1000 THEN 'held back'
        WHEN slave.slots = 0 THEN 'not ready'
        ELSE 'ready'
    END AS state,
    slave.slots AS slots,
    CAST(COALESCE(live.running, 0) AS SIGNED) AS running,
    slave.sector_size AS sector_size,
    FROM_UNIXTIME(live.heartbeat_at / 1000, '%Y-%m-%d %H:%i:%s') AS last_heartbeat,
    FROM_UNIXTIME(slave.joined_at / 1000, '%Y-%m-%d %H:%i:%s') AS joined_at,
    FROM_UNIXTIME(slave.left_at / 1000, '%Y-%m-%d %H:%i:%s') AS left_at,
    CASE WHEN slave.held_until > UNIX_TIMESTAMP(NOW(3)) * 1000
        THEN FROM_UNIXTIME(slave.held_until / 1000, '%Y-%m-%d %H:%i:%s') END AS held_until,
    slave.remote AS remote,
    slave.version AS version
    FROM slaves AS slave
    LEFT JOIN (
        SELECT attempt.slave AS name, COUNT(*) AS running, MAX(attempt.heartbeat_at) AS heartbeat_at
            FROM task_attempts AS attempt
            WHERE attempt.ended_at IS NULL
            GROUP BY attempt.slave
    ) AS live ON live.name = slave.name;
