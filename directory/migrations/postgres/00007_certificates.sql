-- The certificate authority of an environment, and the certificates with which people
-- sign on to Windows. Keys of authorities and PINs are sealed by the deployment's key
-- ring. Certificates outlive their users and devices: only so are they known to be good
-- no more. They hold ids and no names.

-- +goose Up
CREATE TABLE certificate_authorities (
	env         TEXT COLLATE "C" NOT NULL,
	generation  INTEGER NOT NULL,
	sealed      BYTEA NOT NULL,
	certificate BYTEA NOT NULL, -- DER
	created_at  BIGINT NOT NULL,
	active_at   BIGINT NOT NULL,
	ends_at     BIGINT NOT NULL,
	PRIMARY KEY (env, generation)
);

CREATE TABLE certificates (
	env         TEXT COLLATE "C" NOT NULL,
	id          TEXT COLLATE "C" NOT NULL,
	user_id     TEXT COLLATE "C" NOT NULL,
	device      TEXT COLLATE "C" NOT NULL, -- that has proven the user
	generation  INTEGER NOT NULL, -- of the authority
	serial      TEXT COLLATE "C" NOT NULL, -- hexadecimal
	thumbprint  BYTEA NOT NULL, -- SHA-256
	pin         BYTEA NOT NULL, -- empty: none
	pin_reads   INTEGER NOT NULL,
	pin_read_at BIGINT NOT NULL,
	revoked_at  BIGINT NOT NULL,
	reason      INTEGER NOT NULL, -- of RFC 5280 5.3.1
	created_at  BIGINT NOT NULL,
	expires_at  BIGINT NOT NULL,
	PRIMARY KEY (env, id),
	UNIQUE (env, serial)
);
CREATE INDEX certificates_user ON certificates (env, user_id);
CREATE INDEX certificates_expires ON certificates (expires_at);

-- +goose Down
DROP TABLE certificates;
DROP TABLE certificate_authorities;
