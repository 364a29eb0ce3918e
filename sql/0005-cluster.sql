-- Which master leads. The epoch grows with every change; whoever finds another epoch than its own has been replaced.
CREATE TABLE leadership (
    id TINYINT PRIMARY KEY NOT NULL,
    epoch BIGINT NOT NULL,
    master VARCHAR(100) NOT NULL,
    taken_at BIGINT NOT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

INSERT IGNORE INTO leadership (id, epoch, master, taken_at) VALUES (1, 0, '', 0);

-- Masters on this database. A leader that was not seen for a while is replaced by one that was.
CREATE TABLE masters (
    name VARCHAR(100) PRIMARY KEY NOT NULL,
    address VARCHAR(255) NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- Slaves that ever came, for people and for what must outlive a master. Written when something changes, not at heartbeats.
CREATE TABLE slaves (
    name VARCHAR(100) PRIMARY KEY NOT NULL,
    remote VARCHAR(100) NOT NULL,
    version INT NOT NULL,
    slots INT UNSIGNED NOT NULL,
    sector_size BIGINT UNSIGNED DEFAULT NULL,
    joined_at BIGINT NOT NULL,
    left_at BIGINT DEFAULT NULL,
    drained TINYINT NOT NULL DEFAULT 0,
    held_until BIGINT NOT NULL DEFAULT 0
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- When a challenge seed of a miner was first asked for: what the assumed Close of a request without one is counted from.
CREATE TABLE proving_seeds (
    miner_id BIGINT UNSIGNED NOT NULL,
    seed CHAR(64) NOT NULL,
    first_seen_at BIGINT NOT NULL,
    PRIMARY KEY (miner_id, seed)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- JSON list of the directories that hold the task's sectors; NULL where the files are laid out in another way.
ALTER TABLE task_details ADD COLUMN stores TEXT DEFAULT NULL;
