/** "SlyP": marks the file as a store of this program. */
export const applicationId = 0x536c_7950

/** Each step leads from the version that is its place in this list to the next. */
export const schemaSteps: readonly string[] = [
  `
  CREATE TABLE entry (position INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
  CREATE TRIGGER entry_stays BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries never change'); END;
  CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;

  CREATE TABLE tile (
    level INTEGER NOT NULL, position INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, position)
  ) STRICT;
  CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, checkpoint TEXT NOT NULL
  ) STRICT;
  CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;

  CREATE TABLE lease (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    agent TEXT NOT NULL,
    plane TEXT NOT NULL,
    mode TEXT NOT NULL,
    service TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    provider TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    idempotency_key_digest TEXT,
    created_at INTEGER NOT NULL,
    scope TEXT NOT NULL,
    state TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    provider_expires_at INTEGER NOT NULL,
    handle TEXT NOT NULL,
    end_reason TEXT,
    ended_at INTEGER,
    refused_at INTEGER,
    end_attempts INTEGER NOT NULL,
    next_action_at INTEGER,
    last_error TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX lease_by_key ON lease (tenant, agent, idempotency_key_digest)
    WHERE idempotency_key_digest IS NOT NULL;
  CREATE INDEX lease_by_next_action ON lease (next_action_at, id) WHERE next_action_at IS NOT NULL;
  CREATE INDEX lease_by_state ON lease (state, id);
  CREATE INDEX lease_by_tenant ON lease (tenant, state, id);
  CREATE INDEX lease_by_agent ON lease (tenant, agent, state, id);

  CREATE TABLE lease_count (state TEXT PRIMARY KEY, leases INTEGER NOT NULL) STRICT;
  INSERT INTO lease_count VALUES ('intended', 0), ('live', 0), ('ending', 0), ('ended', 0), ('failed', 0);
  `,
]
