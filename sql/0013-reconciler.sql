-- When chain, index and disk were compared last, for each store. Times are milliseconds since 1970. `trouble` says why the newest try
-- came to nothing; what stands beside it and in store_findings is of the last one that came to its end (ended_at).
CREATE TABLE store_reconciliations (
    store VARCHAR(190) PRIMARY KEY NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT DEFAULT NULL,
    sectors BIGINT UNSIGNED NOT NULL DEFAULT 0,
    findings BIGINT UNSIGNED NOT NULL DEFAULT 0,
    trouble TEXT
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

-- For people. Pages by (store, miner_id, sector_number): WHERE (store, miner_id, sector_number) > (...) LIMIT 100. A store without a name
-- stands for all of them: the sector is in none.
CREATE VIEW store_findings_view AS
SELECT finding.store AS store,
    finding.miner_id AS miner_id,
    finding.sector_number AS sector_number,
    CASE WHEN finding.upgraded = 1 THEN 'yes' ELSE 'no' END AS upgraded,
    finding.kind AS kind,
    finding.reason AS reason,
    FROM_UNIXTIME(finding.since / 1000, '%Y-%m-%d %H:%i:%s') AS since,
    FROM_UNIXTIME(finding.seen_at / 1000, '%Y-%m-%d %H:%i:%s') AS seen_at
    FROM store_findings AS finding;
