-- up

-- Who a user is at an identity provider. A person is told by issuer and subject together, never by his address.
CREATE TABLE user_identities (
  tenant_id text NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  issuer text NOT NULL,
  subject text NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX user_identities_by_subject ON user_identities (issuer, subject) WHERE ended_at IS NULL;
CREATE INDEX user_identities_by_user ON user_identities (tenant_id, user_id) WHERE ended_at IS NULL;

ALTER TABLE user_identities ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_identities FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON user_identities
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());

-- down

DROP TABLE user_identities;
