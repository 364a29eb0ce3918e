-- Before the views, which join by these keys. `tasks` may have been made by hand: an id has then as many as 255 characters and any
-- collation. Two collations of one character set cannot be compared, unless one of them is the binary one.
ALTER TABLE task_details
    MODIFY task_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL;

ALTER TABLE task_attempts
    MODIFY task_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL;
