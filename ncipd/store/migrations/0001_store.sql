-- The lending and borrowing store, as of its first release.
--
-- Times are microseconds since 1970 in UTC, flags are 0/1, texts are never NULL where '' says the same.
-- Every row belongs to an agency; what is searched is searched by agency first.

CREATE TABLE agency (
    id          INTEGER PRIMARY KEY,
    code        TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    time_zone   TEXT NOT NULL,
    network     TEXT NOT NULL DEFAULT '',   -- agencies of one network share their barcodes
    served      INTEGER NOT NULL DEFAULT 1 CHECK (served IN (0, 1)),  -- 0 = known only because a partner told of it
    version     INTEGER NOT NULL DEFAULT 1
) STRICT;

-- Every id under which messages may call an agency: its code, an ISIL, a symbol.
CREATE TABLE agency_code (
    folded      TEXT PRIMARY KEY,           -- trimmed, upper case
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    code        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX agency_code_of_agency ON agency_code (agency_id);

CREATE TABLE library (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    UNIQUE (agency_id, code)
) STRICT;

-- What an agency says of itself, each piece as the NCIP element that says it (names, addresses, prompts, ...).
CREATE TABLE agency_detail (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,              -- the name of the element
    content     TEXT NOT NULL,              -- the element as XML
    UNIQUE (agency_id, kind, content)
) STRICT;

CREATE TABLE location (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    library_id  INTEGER NOT NULL REFERENCES library (id),
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    UNIQUE (agency_id, code)
) STRICT;
CREATE INDEX location_of_library ON location (library_id);

CREATE TABLE user (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    primary_id  TEXT NOT NULL,
    surname     TEXT NOT NULL DEFAULT '',
    given_name  TEXT NOT NULL DEFAULT '',
    user_group  TEXT NOT NULL DEFAULT '',
    language    TEXT NOT NULL DEFAULT '',
    born_at     INTEGER,
    expires_at  INTEGER,
    loan_limit  INTEGER,
    note        TEXT NOT NULL DEFAULT '',
    name        TEXT NOT NULL DEFAULT '',   -- the NameInformation, as XML, where it says more than the two names above
    version     INTEGER NOT NULL DEFAULT 1,
    UNIQUE (agency_id, primary_id)
) STRICT;

-- The highest id that a deleted user had; no other user gets it.
CREATE TABLE deleted_user (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    id          INTEGER NOT NULL
) STRICT;

CREATE TABLE user_identifier (
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    value       TEXT NOT NULL,
    type        TEXT NOT NULL,
    user_id     INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    PRIMARY KEY (agency_id, value, type)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_identifier_of_user ON user_identifier (user_id);

CREATE TABLE user_address (
    id          INTEGER PRIMARY KEY,
    user_id     INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    role        TEXT NOT NULL,
    kind        TEXT NOT NULL,              -- an electronic address type (mailto, tel), or 'postal'
    data        TEXT NOT NULL,              -- the address itself; for 'postal' the street lines
    locality    TEXT NOT NULL DEFAULT '',
    region      TEXT NOT NULL DEFAULT '',
    country     TEXT NOT NULL DEFAULT '',
    postal_code TEXT NOT NULL DEFAULT '',
    valid_from  INTEGER,
    valid_to    INTEGER,
    content     TEXT NOT NULL DEFAULT ''    -- the UserAddressInformation, as XML, where a message told it
) STRICT;
CREATE INDEX user_address_of_user ON user_address (user_id);

CREATE TABLE user_privilege (
    id          INTEGER PRIMARY KEY,
    user_id     INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    type        TEXT NOT NULL,
    status      TEXT NOT NULL DEFAULT '',
    valid_from  INTEGER,
    valid_to    INTEGER,
    description TEXT NOT NULL DEFAULT '',
    content     TEXT NOT NULL DEFAULT ''    -- the UserPrivilege, as XML, where a message told it
) STRICT;
CREATE INDEX user_privilege_of_user ON user_privilege (user_id);

CREATE TABLE user_block (
    id          INTEGER PRIMARY KEY,
    user_id     INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    type        TEXT NOT NULL,
    valid_from  INTEGER,
    valid_to    INTEGER,
    note        TEXT NOT NULL DEFAULT '',
    agency      TEXT NOT NULL DEFAULT ''    -- whose block it is, where a message told it
) STRICT;
CREATE INDEX user_block_of_user ON user_block (user_id);

-- Identifiers that a user had before.
CREATE TABLE user_previous_identifier (
    id          INTEGER PRIMARY KEY,
    user_id     INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    agency      TEXT NOT NULL,
    value       TEXT NOT NULL,
    valid_from  INTEGER,
    valid_to    INTEGER
) STRICT;
CREATE INDEX user_previous_identifier_of_user ON user_previous_identifier (user_id);

-- PINs and passwords, as argon2 hashes; the words themselves are nowhere.
CREATE TABLE user_secret (
    user_id     INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,              -- 'PIN' or 'Password'
    hash        TEXT NOT NULL,
    failures    INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER,
    PRIMARY KEY (user_id, kind)
) STRICT, WITHOUT ROWID;

-- Charges and payments; the balance is the sum of the entries, by currency, in minor units.
CREATE TABLE fiscal_entry (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    user_id     INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    reference_agency TEXT NOT NULL DEFAULT '',  -- who numbered it; '' = we did
    reference   TEXT NOT NULL,              -- FiscalTransactionIdentifierValue
    action      TEXT NOT NULL,
    type        TEXT NOT NULL,
    amount      INTEGER NOT NULL,           -- as stated, in minor units
    effect      INTEGER NOT NULL,           -- on the balance: what the user owes grows by it
    currency    TEXT NOT NULL,
    accrued_at  INTEGER NOT NULL,
    valid_from  INTEGER,
    valid_to    INTEGER,
    payment_method TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    related     TEXT NOT NULL DEFAULT '',   -- JSON list of [agency, reference]
    request     TEXT NOT NULL DEFAULT '',
    item_id     INTEGER,
    loan_id     INTEGER,
    UNIQUE (agency_id, reference_agency, reference)
) STRICT;
CREATE INDEX fiscal_entry_of_user ON fiscal_entry (user_id, id);
CREATE INDEX fiscal_entry_cancelling ON fiscal_entry (user_id) WHERE action = 'Cancel';
CREATE INDEX fiscal_entry_of_loan ON fiscal_entry (loan_id) WHERE loan_id IS NOT NULL;

CREATE TABLE record (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    temporary   INTEGER NOT NULL DEFAULT 0 CHECK (temporary IN (0, 1)),
    title       TEXT NOT NULL DEFAULT '',
    author      TEXT NOT NULL DEFAULT '',
    publisher   TEXT NOT NULL DEFAULT '',
    place       TEXT NOT NULL DEFAULT '',
    published   TEXT NOT NULL DEFAULT '',
    edition     TEXT NOT NULL DEFAULT '',
    medium      TEXT NOT NULL DEFAULT '',
    language    TEXT NOT NULL DEFAULT '',
    level       TEXT NOT NULL DEFAULT '',
    series      TEXT NOT NULL DEFAULT '',
    component_title  TEXT NOT NULL DEFAULT '',
    component_author TEXT NOT NULL DEFAULT '',
    further     TEXT NOT NULL DEFAULT ''            -- what else a message has said of the title, as XML
) STRICT;

CREATE TABLE record_identifier (
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    value       TEXT NOT NULL,
    code        TEXT NOT NULL,
    record_id   INTEGER NOT NULL REFERENCES record (id) ON DELETE CASCADE,
    PRIMARY KEY (agency_id, value, code, record_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_identifier_of_record ON record_identifier (record_id);

CREATE TABLE holding (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    record_id   INTEGER NOT NULL REFERENCES record (id),
    library_id  INTEGER NOT NULL REFERENCES library (id),
    location_id INTEGER REFERENCES location (id),
    call_number TEXT NOT NULL DEFAULT '',
    summary     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX holding_of_record ON holding (record_id);

CREATE TABLE item (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    record_id   INTEGER NOT NULL REFERENCES record (id),
    holding_id  INTEGER REFERENCES holding (id),
    barcode     TEXT NOT NULL,
    live        INTEGER NOT NULL DEFAULT 1 CHECK (live IN (0, 1)),
    status      TEXT NOT NULL,
    temporary   INTEGER NOT NULL DEFAULT 0 CHECK (temporary IN (0, 1)),
    partner     TEXT NOT NULL DEFAULT '',          -- whose item a temporary item is
    partner_item_id TEXT NOT NULL DEFAULT '',      -- what that partner calls it
    circulates  INTEGER NOT NULL DEFAULT 1 CHECK (circulates IN (0, 1)),
    policy      TEXT NOT NULL DEFAULT '',
    call_number TEXT NOT NULL DEFAULT '',
    copy_number TEXT NOT NULL DEFAULT '',
    volume      TEXT NOT NULL DEFAULT '',
    home_library_id       INTEGER NOT NULL REFERENCES library (id),
    permanent_location_id INTEGER REFERENCES location (id),
    temporary_location_id INTEGER REFERENCES location (id),
    current_library_id    INTEGER REFERENCES library (id),   -- where it is when not at home
    note        TEXT NOT NULL DEFAULT '',
    pieces      INTEGER,
    condition_type TEXT NOT NULL DEFAULT '',
    condition_details TEXT NOT NULL DEFAULT '',
    security_marker TEXT NOT NULL DEFAULT '',
    sensitize   INTEGER NOT NULL DEFAULT 0 CHECK (sensitize IN (0, 1)),
    resource    TEXT NOT NULL DEFAULT '',          -- the ElectronicResource, as XML
    fee_amount  INTEGER,                           -- what borrowing it costs, in minor units
    fee_currency TEXT NOT NULL DEFAULT '',
    price_amount INTEGER,                          -- what replaces it when it is lost, in minor units
    price_currency TEXT NOT NULL DEFAULT '',
    version     INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX item_live_barcode ON item (agency_id, barcode) WHERE live = 1;
CREATE INDEX item_dead_barcode ON item (agency_id, barcode) WHERE live = 0;
CREATE INDEX item_partner_item ON item (agency_id, partner, partner_item_id, live, id) WHERE temporary = 1;
CREATE INDEX item_of_record ON item (record_id, live);

-- What limits the use of an item (ItemUseRestrictionType); some must be acknowledged before it is lent.
CREATE TABLE item_restriction (
    item_id     INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    type        TEXT NOT NULL,
    acknowledge INTEGER NOT NULL DEFAULT 0 CHECK (acknowledge IN (0, 1)),
    PRIMARY KEY (item_id, type)
) STRICT, WITHOUT ROWID;

CREATE TABLE request (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    role        TEXT NOT NULL CHECK (role IN ('lending', 'borrowing')),
    partner     TEXT NOT NULL,
    identifier  TEXT NOT NULL,                     -- RequestIdentifierValue, trimmed
    identifier_agency TEXT NOT NULL DEFAULT '',    -- its AgencyId, where the partner's profile says that it counts
    open        INTEGER NOT NULL DEFAULT 1 CHECK (open IN (0, 1)),
    status      TEXT NOT NULL,
    digital     INTEGER NOT NULL DEFAULT 0 CHECK (digital IN (0, 1)),
    request_type  TEXT NOT NULL DEFAULT '',
    request_scope TEXT NOT NULL DEFAULT '',
    user_id     INTEGER REFERENCES user (id),
    user_as_sent  TEXT NOT NULL DEFAULT '',
    item_as_sent  TEXT NOT NULL DEFAULT '',
    record_id   INTEGER REFERENCES record (id),
    title       TEXT NOT NULL DEFAULT '',
    author      TEXT NOT NULL DEFAULT '',
    pickup_library_id INTEGER REFERENCES library (id),
    partner_agency  TEXT NOT NULL DEFAULT '',      -- how the other end called itself
    our_agency_code TEXT NOT NULL DEFAULT '',      -- how it called us
    due_at      INTEGER,                           -- lender's date for return
    need_before INTEGER,
    renewal_forbidden INTEGER NOT NULL DEFAULT 0 CHECK (renewal_forbidden IN (0, 1)),
    note        TEXT NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1,
    earliest_needed INTEGER,
    pickup_expires  INTEGER,
    available_at    INTEGER,
    shipping    TEXT NOT NULL DEFAULT '',          -- ShippingInformation, as XML
    fee_acknowledged INTEGER,                      -- in minor units of fee_currency
    fee_paid    INTEGER,
    fee_currency TEXT NOT NULL DEFAULT '',
    identifier_made INTEGER NOT NULL DEFAULT 0 CHECK (identifier_made IN (0, 1))  -- here, and the partner was not told it
) STRICT;
CREATE UNIQUE INDEX request_open_key ON request (agency_id, role, partner, identifier, identifier_agency) WHERE open = 1;
CREATE INDEX request_by_status ON request (agency_id, role, status, id) WHERE open = 1;
CREATE INDEX request_of_user ON request (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX request_of_record ON request (record_id) WHERE open = 1 AND record_id IS NOT NULL;
CREATE INDEX request_unnamed ON request (agency_id, partner, item_as_sent) WHERE open = 1 AND identifier_made = 1;
CREATE INDEX request_by_identifier ON request (agency_id, identifier, open, id);

-- Further ids under which a request is known.
CREATE TABLE request_identifier (
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    value       TEXT NOT NULL,
    type        TEXT NOT NULL DEFAULT '',
    request_id  INTEGER NOT NULL REFERENCES request (id) ON DELETE CASCADE,
    PRIMARY KEY (agency_id, value, type, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_identifier_of_request ON request_identifier (request_id);

-- The partners asked, in the order in which they were asked (the rota).
CREATE TABLE request_attempt (
    id          INTEGER PRIMARY KEY,
    request_id  INTEGER NOT NULL REFERENCES request (id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    partner     TEXT NOT NULL,
    outcome     TEXT NOT NULL DEFAULT '',
    at          INTEGER NOT NULL,
    UNIQUE (request_id, position)
) STRICT;

CREATE TABLE loan (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    item_id     INTEGER NOT NULL REFERENCES item (id),
    user_id     INTEGER REFERENCES user (id),      -- may be emptied after return, for privacy
    partner     TEXT,
    request_id  INTEGER REFERENCES request (id),
    out_at      INTEGER NOT NULL,
    due_at      INTEGER,
    renewals    INTEGER NOT NULL DEFAULT 0,
    recalled_at INTEGER,
    returned_at INTEGER,
    reported    INTEGER NOT NULL DEFAULT 0 CHECK (reported IN (0, 1)),   -- a message has said so, not only the desk
    version     INTEGER NOT NULL DEFAULT 1,
    mark        TEXT NOT NULL DEFAULT '',          -- said of it beside out and back: claimed returned, lost, undone, ...
    claimed_at  INTEGER,                           -- when the user says that the item came back
    renewed_at  INTEGER,                           -- the last renewal that was told with its date (MandatedAction)
    hold_id     INTEGER REFERENCES hold (id),      -- the user's hold that it filled
    desired_due_at INTEGER,                        -- of a renewal that is being decided
    CHECK (user_id IS NULL OR partner IS NULL),
    CHECK (returned_at IS NOT NULL OR user_id IS NOT NULL OR partner IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX loan_open_of_item ON loan (item_id) WHERE returned_at IS NULL;
CREATE INDEX loan_open_of_user ON loan (user_id) WHERE returned_at IS NULL AND user_id IS NOT NULL;
CREATE INDEX loan_of_user ON loan (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX loan_of_hold ON loan (hold_id) WHERE hold_id IS NOT NULL;   -- searched where a hold is deleted
CREATE INDEX loan_of_request ON loan (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX loan_of_item ON loan (item_id, out_at);

CREATE TABLE request_item (
    id          INTEGER PRIMARY KEY,
    request_id  INTEGER NOT NULL REFERENCES request (id) ON DELETE CASCADE,
    item_id     INTEGER NOT NULL REFERENCES item (id),
    loan_id     INTEGER REFERENCES loan (id),
    state       TEXT NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1,
    before      TEXT NOT NULL DEFAULT '',          -- its state before it was taken in again; '' = it was no part
    UNIQUE (request_id, item_id)
) STRICT;
CREATE INDEX request_item_of_item ON request_item (item_id, id);

-- What happened to a request, for people.
CREATE TABLE request_event (
    id          INTEGER PRIMARY KEY,
    request_id  INTEGER NOT NULL REFERENCES request (id) ON DELETE CASCADE,
    at          INTEGER NOT NULL,
    event       TEXT NOT NULL,
    status      TEXT NOT NULL,
    note        TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX request_event_of_request ON request_event (request_id, id);

CREATE TABLE hold (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    user_id     INTEGER NOT NULL REFERENCES user (id),
    record_id   INTEGER REFERENCES record (id),
    item_id     INTEGER REFERENCES item (id),
    request_id  INTEGER REFERENCES request (id),
    pickup_library_id INTEGER REFERENCES library (id),
    state       TEXT NOT NULL,
    placed_at   INTEGER NOT NULL,
    expires_at  INTEGER,
    details     TEXT NOT NULL DEFAULT '',          -- dates, addresses and fees of the wish, as XML (AddRequestFields)
    partner     TEXT NOT NULL DEFAULT '',          -- who asked for it under a number of its own
    identifier  TEXT NOT NULL DEFAULT '',          -- that number, its RequestId; '' = hold-ID names it
    version     INTEGER NOT NULL DEFAULT 1,
    CHECK (record_id IS NOT NULL OR item_id IS NOT NULL)
) STRICT;
CREATE INDEX hold_open_of_item ON hold (item_id, id) WHERE state IN ('waiting', 'ready') AND item_id IS NOT NULL;
CREATE INDEX hold_open_of_record ON hold (record_id, id) WHERE state IN ('waiting', 'ready') AND record_id IS NOT NULL;
CREATE INDEX hold_open_of_user ON hold (user_id, id) WHERE state IN ('waiting', 'ready');
CREATE INDEX hold_of_user ON hold (user_id);
CREATE INDEX hold_named ON hold (agency_id, partner, identifier, id) WHERE identifier <> '';
CREATE INDEX hold_of_request ON hold (request_id) WHERE request_id IS NOT NULL;

CREATE TABLE recall (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    loan_id     INTEGER NOT NULL REFERENCES loan (id),
    hold_id     INTEGER REFERENCES hold (id),      -- the local wish behind it, where we recall
    asked_by    TEXT NOT NULL,                     -- partner code, or '' for ourselves
    due_at      INTEGER,
    was_due_at  INTEGER,                           -- the due date before it
    placed_at   INTEGER NOT NULL,
    cancelled_at INTEGER,
    was_return_by INTEGER                          -- the lender's date before it, that of the request
) STRICT;
CREATE UNIQUE INDEX recall_open_of_loan ON recall (loan_id) WHERE cancelled_at IS NULL;
CREATE INDEX recall_of_loan ON recall (loan_id, id);
CREATE INDEX recall_of_hold ON recall (hold_id) WHERE hold_id IS NOT NULL;

CREATE TABLE notice (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    user_id     INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    request_id  INTEGER REFERENCES request (id),
    type        TEXT NOT NULL,
    content     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    send_at     INTEGER NOT NULL DEFAULT 0,        -- not before
    sent_at     INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    error       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX notice_unsent ON notice (send_at, id) WHERE sent_at IS NULL;
CREATE INDEX notice_of_user ON notice (user_id, id);

CREATE TABLE task (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    role        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    request_id  INTEGER REFERENCES request (id),
    item_id     INTEGER REFERENCES item (id),
    note        TEXT NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    done_at     INTEGER
) STRICT;
CREATE INDEX task_open ON task (agency_id, role, id) WHERE done_at IS NULL;
CREATE INDEX task_of_request ON task (request_id) WHERE done_at IS NULL AND request_id IS NOT NULL;
CREATE INDEX task_of_item ON task (item_id) WHERE done_at IS NULL AND item_id IS NOT NULL;

-- One row for every message in or out and every desk action: the audit trail.
CREATE TABLE journal (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    agency_id   INTEGER REFERENCES agency (id),
    partner     TEXT NOT NULL DEFAULT '',
    direction   TEXT NOT NULL CHECK (direction IN ('in', 'out', 'desk')),
    service     TEXT NOT NULL,
    verdict     TEXT NOT NULL,                     -- 'ok', or the problem type
    side        TEXT NOT NULL DEFAULT '',
    request_id  INTEGER REFERENCES request (id),
    correlation TEXT NOT NULL,
    operator    TEXT NOT NULL DEFAULT '',
    repairs     TEXT NOT NULL DEFAULT '',          -- JSON list of names
    note        TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX journal_of_request ON journal (request_id, id) WHERE request_id IS NOT NULL;
CREATE INDEX journal_by_agency ON journal (agency_id, id);

-- What was said, word for word (secrets masked, zlib); deleted after the retention time.
CREATE TABLE message_body (
    journal_id  INTEGER PRIMARY KEY,               -- the first line of the audit trail whose words are in it
    at          INTEGER NOT NULL,                  -- when the last of them was said
    words       BLOB NOT NULL                      -- what was said in many messages, compressed together
) STRICT;

-- Answers to repeat, byte for byte, when a message comes again.
CREATE TABLE reply (
    id          INTEGER PRIMARY KEY,               -- in the order of time; the newest with an identity counts
    identity    INTEGER NOT NULL,                  -- keyed hash of the decoded message
    agency_id   INTEGER NOT NULL,
    partner     TEXT NOT NULL,
    service     TEXT NOT NULL,
    stored_at   INTEGER NOT NULL,
    traces      TEXT NOT NULL,                     -- JSON: rows it left, with their versions
    journal_id  INTEGER NOT NULL,                  -- whose message_body holds the answer
    body        BLOB                               -- the answer, where message_body does not hold these very bytes
) STRICT;
CREATE INDEX reply_by_identity ON reply (identity, id);

CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    partner     TEXT NOT NULL,
    service     TEXT NOT NULL,
    request_id  INTEGER REFERENCES request (id),   -- messages about one request leave in order
    loan_id     INTEGER REFERENCES loan (id),
    body        BLOB NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'dead')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_at     INTEGER NOT NULL,
    leased_until INTEGER,
    error       TEXT NOT NULL DEFAULT '',
    answer      BLOB,
    created_at  INTEGER NOT NULL,
    settled_at  INTEGER
) STRICT;
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_open_of_request ON outbox (request_id, id) WHERE state IN ('queued', 'sending', 'dead') AND request_id IS NOT NULL;
CREATE INDEX outbox_dead ON outbox (created_at, id) WHERE state = 'dead';
CREATE INDEX outbox_by_agency ON outbox (agency_id, state, id);

CREATE TABLE operator (
    id          INTEGER PRIMARY KEY,
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    name        TEXT NOT NULL,
    token_hash  BLOB NOT NULL UNIQUE,              -- SHA-256 of the bearer token; the token itself is nowhere
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER,
    UNIQUE (agency_id, name)
) STRICT;

-- Answers of desk actions that came with an Idempotency-Key.
CREATE TABLE desk_answer (
    agency_id   INTEGER NOT NULL REFERENCES agency (id),
    operator    TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,                     -- of the action and its parameters
    status      INTEGER NOT NULL,
    answer      TEXT NOT NULL,
    stored_at   INTEGER NOT NULL,
    PRIMARY KEY (agency_id, operator, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX desk_answer_by_age ON desk_answer (stored_at);

-- Small facts about the store itself, such as the key of the reply hashes.
CREATE TABLE setting (
    name        TEXT PRIMARY KEY,
    value       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
