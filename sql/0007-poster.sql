-- Whether the run is on schedule (ok, late, at-risk, lost) and why not.
ALTER TABLE post_runs ADD COLUMN state VARCHAR(20) NOT NULL DEFAULT 'ok', ADD COLUMN state_reason TEXT DEFAULT NULL;

-- message_limit: most partitions in a message of this one, 0 for no limit of its own (`solitary` is of the version before and stays
-- for it alone). commitment: the chain commitment in its message. took_ms: its proof from start to end on the slave, what the next
-- ones are expected to take. proving_epoch: the head when its task was submitted.
ALTER TABLE post_partitions
    ADD COLUMN message_limit TINYINT UNSIGNED NOT NULL DEFAULT 0,
    ADD COLUMN commitment BINARY(32) DEFAULT NULL,
    ADD COLUMN took_ms BIGINT DEFAULT NULL,
    ADD COLUMN proving_epoch BIGINT DEFAULT NULL,
    ADD KEY by_proof_time (proven_at);

UPDATE post_partitions SET message_limit = 1 WHERE solitary = 1;

-- For people: one row for each deadline run, newest periods have the highest open_epoch. Times are in the session's time zone.
CREATE VIEW post_runs_view AS
SELECT run.miner_id AS miner,
    run.deadline AS deadline,
    CASE
        WHEN run.finished_at IS NOT NULL AND COUNT(part.run_id) = 0 THEN 'nothing to prove'
        WHEN run.finished_at IS NULL THEN CONCAT('running, ', run.state)
        WHEN SUM(part.state = 'landed') = COUNT(part.run_id) THEN 'proven'
        WHEN SUM(part.state = 'landed') = 0 THEN 'not proven'
        ELSE 'partly proven'
    END AS state,
    run.state_reason AS reason,
    COUNT(part.run_id) AS partitions,
    CAST(COALESCE(SUM(part.state IN ('checking', 'proving')), 0) AS SIGNED) AS to_prove,
    CAST(COALESCE(SUM(part.state IN ('proven', 'sending')), 0) AS SIGNED) AS to_land,
    CAST(COALESCE(SUM(part.state = 'landed'), 0) AS SIGNED) AS landed,
    CAST(COALESCE(SUM(part.state = 'left-out'), 0) AS SIGNED) AS left_out,
    CAST(COALESCE(SUM(part.state = 'missed'), 0) AS SIGNED) AS missed,
    run.challenge_epoch AS challenge_epoch,
    run.open_epoch AS open_epoch,
    run.close_epoch AS close_epoch,
    FROM_UNIXTIME(run.created_at / 1000, '%Y-%m-%d %H:%i:%s') AS started_at,
    FROM_UNIXTIME(MAX(part.proven_at) / 1000, '%Y-%m-%d %H:%i:%s') AS last_proof_at,
    FROM_UNIXTIME(MAX(part.finished_at) / 1000, '%Y-%m-%d %H:%i:%s') AS last_end_at,
    FROM_UNIXTIME(run.finished_at / 1000, '%Y-%m-%d %H:%i:%s') AS finished_at
    FROM post_runs AS run
    LEFT JOIN post_partitions AS part ON part.run_id = run.id
    GROUP BY run.id, run.miner_id, run.deadline, run.finished_at, run.state, run.state_reason, run.challenge_epoch, run.open_epoch,
        run.close_epoch, run.created_at;
