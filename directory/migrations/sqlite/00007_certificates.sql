-- The certificate authority of an environment, and the certificates with which people
-- sign on to Windows. Keys of authorities and PINs are sealed by the deployment's key
-- ring. Certificates outlive their users and devices: only so are they known to be good
-- no more. They hold ids and no names.

-- +goose Up
CREATE TABLE certificate_authorities (
	env         TEXT NOT NULL,
	generation  INTEGER NOT NULL,
	sealed      BLOB NOT NULL,
	certificate BLOB NOT NULL, -- DER
	created_at  INTEGER NOT NULL,
	active_at   INTEGER NOT NULL,
	ends_at     INTEGER NOT NULL,
	PRIMARY KEY (env, generation)
) STRICT;

CREATE TABLE certificates (
	env         TEXT NOT NULL,
	id          TEXT NOT NULL,
	user_id     TEXT NOT NULL,
	device      TEXT NOT NULL, -- that has proven the user
	generation  INTEGER NOT NULL, -- of the authority
	serial      TEXT NOT NULL, -- hexadecimal
	thumbprint  BLOB NOT NULL, -- SHA-256
	pin         BLOB NOT NULL, -- empty: none
	pin_reads   INTEGER NOT NULL,
	pin_read_at INTEGER NOT NULL,
	revoked_at  INTEGER NOT NULL,
	reason      INTEGER NOT NULL, -- of RFC 5280 5.3.1
	created_at  INTEGER NOT NULL,
	expires_at  INTEGER NOT NULL,
	PRIMARY KEY (env, id),
	UNIQUE (env, serial)
) STRICT;
CREATE INDEX certificates_user ON certificates (env, user_id);
CREATE INDEX certificates_expires ON certificates (expires_at);

-- +goose Down
DROP TABLE certificates;
DROP TABLE certificate_authorities;
