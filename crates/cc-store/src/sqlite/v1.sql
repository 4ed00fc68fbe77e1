-- Version 1. Instants are seconds of Unix time; epochs are milliseconds of it or higher.

-- One row: whose store this is, and the last epoch that was given out.
CREATE TABLE federation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB CHECK (length(id) = 32),
    last_epoch INTEGER CHECK (last_epoch >= 0)
) STRICT;
INSERT INTO federation (one) VALUES (1);

-- At most one row: the owner's newest policy bundle.
CREATE TABLE bundle (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL CHECK (version >= 0),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    bytes BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- Numbers that only rise; big-endian.
CREATE TABLE floor (
    name TEXT PRIMARY KEY,
    number BLOB NOT NULL CHECK (length(number) = 20)
) STRICT, WITHOUT ROWID;

CREATE TABLE nonce (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    epoch INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX nonce_at ON nonce (at);

CREATE TABLE member (
    name TEXT PRIMARY KEY,
    role INTEGER NOT NULL,
    instance_id BLOB NOT NULL CHECK (length(instance_id) = 16),
    key_digest BLOB NOT NULL UNIQUE CHECK (length(key_digest) = 32),
    key BLOB NOT NULL,
    registered INTEGER NOT NULL,
    transcript BLOB NOT NULL
) STRICT;

CREATE TABLE evidence (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    bytes BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_at ON evidence (at);

-- What a verifier signed about a round.
CREATE TABLE statement (
    id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    job TEXT,
    verifier TEXT NOT NULL,
    policy_digest BLOB NOT NULL CHECK (length(policy_digest) = 32),
    at INTEGER NOT NULL,
    signed BLOB NOT NULL
) STRICT;
CREATE INDEX statement_round ON statement (epoch, verifier);
CREATE INDEX statement_job ON statement (job) WHERE job IS NOT NULL;
CREATE INDEX statement_at ON statement (at) WHERE job IS NULL;

-- What it says of each subject. No code means accepted.
CREATE TABLE verdict (
    verifier TEXT NOT NULL,
    subject TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    statement INTEGER NOT NULL REFERENCES statement (id) ON DELETE CASCADE,
    code TEXT,
    detail TEXT NOT NULL,
    policy_line TEXT NOT NULL,
    evidence BLOB CHECK (length(evidence) = 32),
    PRIMARY KEY (verifier, subject, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX verdict_statement ON verdict (statement);

-- Stages: 0 waiting, 1 dispatched, 2 ended.
CREATE TABLE job (
    id TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    nonce BLOB NOT NULL CHECK (length(nonce) = 16),
    file BLOB NOT NULL,
    stage INTEGER NOT NULL CHECK (stage BETWEEN 0 AND 2),
    record BLOB NOT NULL
) STRICT;
CREATE INDEX job_sequence ON job (sequence, id);
CREATE INDEX job_unfinished ON job (sequence, id) WHERE stage < 2;

CREATE TABLE collateral (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    bytes BLOB NOT NULL,
    fetched INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT;
