-- As in 0006; a waiting task shows no phase and progress of the attempt that ended before.
CREATE OR REPLACE VIEW tasks_state_view AS
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
    CASE WHEN task.started_at IS NOT NULL OR task.finished_at IS NOT NULL THEN attempt.phase END AS phase,
    CASE WHEN attempt.total > 0 AND (task.started_at IS NOT NULL OR task.finished_at IS NOT NULL)
        THEN CONCAT(attempt.done, '/', attempt.total) END AS progress,
    task.error_reason AS error
    FROM tasks AS task
    LEFT JOIN task_details AS detail ON detail.task_id = task.id
    LEFT JOIN task_attempts AS attempt ON attempt.task_id = task.id AND attempt.attempt = detail.last_attempt;
