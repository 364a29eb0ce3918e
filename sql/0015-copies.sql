-- corrupt_copies: files of sectors that gave no proof in this run, so that others are used where there are any: a JSON list of sector
-- number, sealed file and cache folder, with the paths that the task had. refused_proofs: how often another proof of this partition was
-- asked for, since the one that the master had verified did not verify at the manager. refused_proof: the last such one, which is looked
-- at again until Close.
ALTER TABLE post_partitions
    ADD COLUMN corrupt_copies MEDIUMTEXT DEFAULT NULL,
    ADD COLUMN refused_proofs SMALLINT UNSIGNED NOT NULL DEFAULT 0,
    ADD COLUMN refused_proof VARBINARY(192) DEFAULT NULL;
