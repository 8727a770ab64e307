-- The registry of devices, as gw_registry reads it; any program may write it.

PRAGMA application_id = 1735881319;     -- "gwrg"
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;              -- writers and workers do not wait

CREATE TABLE device (
    device      TEXT PRIMARY KEY        -- 1 to 128 of [A-Za-z0-9._:@-]
                CHECK (length(device) BETWEEN 1 AND 128
                       AND device NOT GLOB '*[^A-Za-z0-9._:@-]*'),

    -- SHA-256(salt || secret), the secret being 32 random bytes; NULL: this
    -- device does not sign in with a token
    salt        BLOB CHECK (salt IS NULL OR length(salt) = 16),
    secret      BLOB CHECK (secret IS NULL OR length(secret) = 32),

    -- the key itself, for a device that signs its requests; worth as much as
    -- a password: the file must be readable by the workers only
    hmac_key    BLOB CHECK (hmac_key IS NULL
                            OR length(hmac_key) BETWEEN 32 AND 64),

    tenant      TEXT NOT NULL DEFAULT '' CHECK (length(tenant) <= 64),

    -- names of classes parted by commas, "*" for all; none: it may send nothing
    classes     TEXT NOT NULL DEFAULT '' CHECK (length(classes) <= 1024),

    -- Kafka topics parted by commas, a "*" at the end of one stands for any
    -- rest; asked only where the topic of a message is made of variables
    topics      TEXT NOT NULL DEFAULT '' CHECK (length(topics) <= 256),

    -- ids parted by commas, a "*" at the end of one stands for any rest
    speaks_for  TEXT NOT NULL DEFAULT '' CHECK (length(speaks_for) <= 512),

    enabled     INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),

    -- seconds since 1970; NULL: no bound
    not_before  INTEGER,
    not_after   INTEGER
) WITHOUT ROWID;
