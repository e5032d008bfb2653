-- up

-- Who a user is at an identity provider. A person is told by issuer and subject together, never by his address.
CREATE TABLE user_identities (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX user_identities_by_subject ON user_identities (issuer, subject) WHERE ended_at IS NULL;
CREATE INDEX user_identities_by_user ON user_identities (tenant_id, user_id) WHERE ended_at IS NULL;

-- down

DROP TABLE user_identities;
