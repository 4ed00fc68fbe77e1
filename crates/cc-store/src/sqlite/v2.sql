-- Keys of instances that newer ones of the same name replaced. They are few, and none may ever be forgotten: its
-- enrolment may still be valid.
CREATE TABLE retired (
    key_digest BLOB PRIMARY KEY CHECK (length(key_digest) = 32)
) STRICT, WITHOUT ROWID;
