-- corrupt_copies: files of sectors that gave no proof in this run, so that others are used where there are any: a JSON list of sector
-- number, sealed file and cache folder, with the paths that the task had. refused_proofs: proofs of this partition that the master had
-- verified and that did not verify at the manager.
ALTER TABLE post_partitions
    ADD COLUMN corrupt_copies MEDIUMTEXT DEFAULT NULL,
    ADD COLUMN refused_proofs SMALLINT UNSIGNED NOT NULL DEFAULT 0;
