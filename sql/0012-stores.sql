-- Stores that were attached or are watched. Times are milliseconds since 1970; those of the last scan that came to its end.
CREATE TABLE stores (
    name VARCHAR(190) PRIMARY KEY NOT NULL,
    path TEXT NOT NULL,
    attached_at BIGINT NOT NULL,
    scanned_at BIGINT DEFAULT NULL,
    scan_ms BIGINT UNSIGNED DEFAULT NULL,
    sector_count BIGINT UNSIGNED DEFAULT NULL,
    strange_count BIGINT UNSIGNED DEFAULT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

-- Which store holds which sectors. A row is 4,096 sectors with consecutive numbers, the first being block * 4096: sector number n is bit
-- n % 8 (lowest first) of byte n % 4096 / 8 of `sealed` and `cache`. A row for each sector would be a gigabyte for a large provider.
CREATE TABLE store_sectors (
    miner_id BIGINT UNSIGNED NOT NULL,
    upgraded TINYINT NOT NULL,
    block BIGINT UNSIGNED NOT NULL,
    store VARCHAR(190) NOT NULL,
    sealed VARBINARY(512) NOT NULL,
    cache VARBINARY(512) NOT NULL,
    PRIMARY KEY (miner_id, upgraded, block, store),
    KEY by_store (store)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

-- What differs between chain, index and disk, by store.
CREATE TABLE store_findings (
    store VARCHAR(190) NOT NULL,
    miner_id BIGINT UNSIGNED NOT NULL,
    sector_number BIGINT UNSIGNED NOT NULL,
    upgraded TINYINT NOT NULL,
    kind VARCHAR(30) NOT NULL,
    reason TEXT NOT NULL,
    since BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (store, miner_id, sector_number, upgraded, kind),
    KEY by_sector (miner_id, sector_number)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
