-- The network that this database belongs to: what was proven and sent for one is worth nothing on another.
CREATE TABLE chain_network (
    id TINYINT PRIMARY KEY NOT NULL,
    genesis VARCHAR(100) NOT NULL,
    name VARCHAR(100) NOT NULL,
    pinned_at BIGINT NOT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- What the chain said of a miner's proofs when they were last looked at, so that what happens while no manager runs is found as well.
-- `disputable` is a JSON list of 48 numbers: proofs of each deadline that can still be disputed.
CREATE TABLE dispute_watch (
    miner_id BIGINT UNSIGNED PRIMARY KEY NOT NULL,
    height BIGINT NOT NULL,
    disputable TEXT NOT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;
