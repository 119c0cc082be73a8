-- Every SQL statement of ncipd, by name, each under one line that says what it is for.
--
-- `:name` is a parameter. `{item}`, `{loan}` and so on stand for the columns of that row type, in the order of its
-- fields in circulation/model.py. Rows of many columns that messages read are given as one column, a JSON array: Python
-- makes three objects for each column that it could fetch, in every statement, whether or not there is a row.

-- ---------------------------------------------------------------------------------------------- agencies

-- name: agency_by_code
-- Find the agency that any of its codes names.
SELECT {agency} FROM agency_code JOIN agency ON agency.id = agency_code.agency_id WHERE agency_code.folded = :folded

-- name: agency_by_id
-- Read one agency.
SELECT {agency} FROM agency WHERE agency.id = :id

-- name: agencies
-- List all agencies served here.
SELECT {agency} FROM agency WHERE agency.served = 1 ORDER BY agency.id

-- name: agency_codes
-- List every code of an agency.
SELECT code FROM agency_code WHERE agency_id = :agency ORDER BY code

-- name: insert_agency
-- Add an agency.
INSERT INTO agency (code, name, time_zone, network) VALUES (:code, :name, :time_zone, :network)

-- name: insert_known_agency
-- Add an agency that is not served here, but that a partner has told of.
INSERT INTO agency (code, name, time_zone, network, served) VALUES (:code, :name, :time_zone, '', 0)

-- name: touch_agency
-- Say that what is known of an agency has changed.
UPDATE agency SET version = version + 1 WHERE id = :id

-- name: agency_version
-- Read the version of an agency.
SELECT version FROM agency WHERE id = :id

-- name: agency_details
-- Read what an agency says of itself, in the order in which it was said.
SELECT kind, content FROM agency_detail WHERE agency_id = :agency ORDER BY id

-- name: insert_agency_detail
-- Add a piece of what an agency says of itself.
INSERT INTO agency_detail (agency_id, kind, content) VALUES (:agency, :kind, :content) ON CONFLICT DO NOTHING

-- name: delete_agency_detail
-- Take out a piece of what an agency says of itself.
DELETE FROM agency_detail WHERE agency_id = :agency AND kind = :kind AND content = :content

-- name: update_agency
-- Rename an agency or move its clock.
UPDATE agency SET name = :name, time_zone = :time_zone, network = :network, served = 1 WHERE id = :id

-- name: insert_agency_code
-- Give an agency one more code.
INSERT INTO agency_code (folded, agency_id, code) VALUES (:folded, :agency, :code)
ON CONFLICT (folded) DO UPDATE SET code = excluded.code WHERE agency_id = excluded.agency_id

-- name: libraries
-- List the libraries of an agency, first made first.
SELECT {library} FROM library WHERE library.agency_id = :agency ORDER BY library.id

-- name: library_by_code
-- Find a library by its code.
SELECT {library} FROM library WHERE library.agency_id = :agency AND library.code = :code

-- name: library_by_id
-- Read one library.
SELECT {library} FROM library WHERE library.id = :id

-- name: upsert_library
-- Add a library or rename it.
INSERT INTO library (agency_id, code, name) VALUES (:agency, :code, :name)
ON CONFLICT (agency_id, code) DO UPDATE SET name = excluded.name RETURNING id

-- name: locations
-- List the locations of an agency, first made first.
SELECT {location} FROM location WHERE location.agency_id = :agency ORDER BY location.id

-- name: location_by_code
-- Find a location by its code.
SELECT {location} FROM location WHERE location.agency_id = :agency AND location.code = :code

-- name: location_by_id
-- Read one location.
SELECT {location} FROM location WHERE location.id = :id

-- name: upsert_location
-- Add a location or rename it.
INSERT INTO location (agency_id, library_id, code, name) VALUES (:agency, :library, :code, :name)
ON CONFLICT (agency_id, code) DO UPDATE SET library_id = excluded.library_id, name = excluded.name RETURNING id

-- ---------------------------------------------------------------------------------------------- users

-- name: users_by_identifier
-- Find the users that have this identifier, whatever its type.
SELECT DISTINCT {user} FROM user_identifier JOIN user ON user.id = user_identifier.user_id
WHERE user_identifier.agency_id = :agency AND user_identifier.value = :value

-- name: users_by_typed_identifier
-- Find the users that have this identifier of this type.
SELECT DISTINCT {user} FROM user_identifier JOIN user ON user.id = user_identifier.user_id
WHERE user_identifier.agency_id = :agency AND user_identifier.value = :value
  AND user_identifier.type = :type COLLATE NOCASE

-- name: user_by_primary_id
-- Find a user by the number under which the agency knows them.
SELECT {user} FROM user WHERE user.agency_id = :agency AND user.primary_id = :primary_id

-- name: user_by_id
-- Read one user.
SELECT {user} FROM user WHERE user.id = :id

-- name: user_identifiers
-- List the identifiers of a user.
SELECT user_id, type, value FROM user_identifier WHERE user_id = :user ORDER BY type, value

-- name: user_addresses
-- List the addresses of a user.
SELECT {user_address} FROM user_address WHERE user_address.user_id = :user ORDER BY id

-- name: user_privileges
-- List the privileges of a user.
SELECT {user_privilege} FROM user_privilege WHERE user_privilege.user_id = :user ORDER BY id

-- name: user_blocks
-- List the blocks and traps on a user.
SELECT {user_block} FROM user_block WHERE user_block.user_id = :user ORDER BY id

-- name: upsert_user
-- Add a user, or replace what is known of one.
INSERT INTO user (id, agency_id, primary_id, surname, given_name, user_group, language, born_at, expires_at, loan_limit, note)
VALUES ((SELECT max(coalesce((SELECT max(id) FROM user), 0), coalesce((SELECT id FROM deleted_user), 0)) + 1),
    :agency, :primary_id, :surname, :given_name, :user_group, :language, :born_at, :expires_at, :loan_limit, :note)
ON CONFLICT (agency_id, primary_id) DO UPDATE SET surname = excluded.surname, given_name = excluded.given_name,
    user_group = excluded.user_group, language = excluded.language, born_at = excluded.born_at,
    expires_at = excluded.expires_at, loan_limit = excluded.loan_limit, note = excluded.note,
    name = CASE WHEN surname = excluded.surname AND given_name = excluded.given_name THEN name ELSE '' END,
    version = version + 1 RETURNING id

-- name: delete_user_identifiers
-- Forget the identifiers of a user before new ones are written.
DELETE FROM user_identifier WHERE user_id = :user

-- name: delete_user_addresses
-- Forget the addresses of a user before new ones are written.
DELETE FROM user_address WHERE user_id = :user

-- name: delete_user_privileges
-- Forget the privileges of a user before new ones are written.
DELETE FROM user_privilege WHERE user_id = :user

-- name: delete_user_blocks
-- Lift the blocks of a user before new ones are written.
DELETE FROM user_block WHERE user_id = :user

-- name: insert_user_identifier
-- Give a user an identifier.
INSERT INTO user_identifier (agency_id, value, type, user_id) VALUES (:agency, :value, :type, :user)

-- name: insert_user_address
-- Give a user an address.
INSERT INTO user_address (user_id, role, kind, data, locality, region, country, postal_code, valid_from, valid_to,
    content)
VALUES (:user, :role, :kind, :data, :locality, :region, :country, :postal_code, :valid_from, :valid_to, :content)

-- name: insert_user_privilege
-- Give a user a privilege.
INSERT INTO user_privilege (user_id, type, status, valid_from, valid_to, description, content)
VALUES (:user, :type, :status, :valid_from, :valid_to, :description, :content)

-- name: insert_user_block
-- Block a user.
INSERT INTO user_block (user_id, type, valid_from, valid_to, note) VALUES (:user, :type, :valid_from, :valid_to, :note)

-- name: insert_agency_block
-- Block a user, or note something, in the name of an agency.
INSERT INTO user_block (user_id, type, valid_from, valid_to, note, agency)
VALUES (:user, :type, :valid_from, :valid_to, :note, :agency)

-- name: set_user_facts
-- Write what a message changes of a user.
UPDATE user SET surname = :surname, given_name = :given_name, name = :name, user_group = :user_group,
    language = :language, born_at = :born_at, expires_at = :expires_at, version = version + 1 WHERE id = :id

-- name: set_user_primary_id
-- Give a user another number as the one under which the agency knows them.
UPDATE user SET primary_id = :primary_id, version = version + 1 WHERE id = :id

-- name: touch_user
-- Note that what belongs to a user has changed.
UPDATE user SET version = version + 1 WHERE id = :id

-- name: user_version
-- Read the version of a user.
SELECT version FROM user WHERE id = :id

-- name: delete_user_identifier
-- Take an identifier from a user.
DELETE FROM user_identifier WHERE agency_id = :agency AND value = :value AND type = :type AND user_id = :user

-- name: user_previous_identifiers
-- List what a user was called before, the oldest first.
SELECT {user_previous_identifier} FROM user_previous_identifier WHERE user_previous_identifier.user_id = :user
ORDER BY id LIMIT 100

-- name: insert_user_previous_identifier
-- Keep an identifier that a user has no longer.
INSERT INTO user_previous_identifier (user_id, agency, value, valid_from, valid_to)
VALUES (:user, :agency, :value, :valid_from, :valid_to)

-- name: delete_user_previous_identifiers
-- Forget what a user was called before.
DELETE FROM user_previous_identifier WHERE user_id = :user

-- name: user_secrets
-- Read the hashes of a user's PIN and password, and how often they were guessed wrong.
SELECT {user_secret} FROM user_secret WHERE user_secret.user_id = :user ORDER BY user_secret.kind

-- name: upsert_user_secret
-- Give a user a PIN or password, or another one.
INSERT INTO user_secret (user_id, kind, hash) VALUES (:user, :kind, :hash)
ON CONFLICT (user_id, kind) DO UPDATE SET hash = excluded.hash, failures = 0, locked_until = NULL

-- name: delete_user_secret
-- Take the PIN or the password from a user.
DELETE FROM user_secret WHERE user_id = :user AND kind = :kind

-- name: delete_user_secrets
-- Take PIN and password from a user.
DELETE FROM user_secret WHERE user_id = :user

-- name: count_secret_failure
-- Count a wrong guess at any secret of a user; the last one allowed locks them all. While locked nothing is counted.
UPDATE user_secret SET locked_until = CASE WHEN failures + 1 >= :most THEN :until END,
    failures = CASE WHEN failures + 1 >= :most THEN 0 ELSE failures + 1 END
WHERE user_id = :user AND coalesce(locked_until, 0) <= :now

-- name: forget_secret_failures
-- Forget the wrong guesses of a user who has given the right secret.
UPDATE user_secret SET failures = 0, locked_until = NULL WHERE user_id = :user

-- name: note_failed_authentication
-- Write down when an authentication last failed, so that a wrong guess costs the same whoever was guessed.
INSERT INTO setting (name, value) VALUES ('last-failed-authentication', :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: delete_user
-- Delete a user whom nothing open refers to any more.
DELETE FROM user WHERE id = :id

-- name: remember_deleted_user
-- Keep the highest id that a deleted user had, so that nobody else gets it: stored answers know users by their ids.
INSERT INTO deleted_user (only_row, id) VALUES (1, :id) ON CONFLICT (only_row) DO UPDATE SET id = max(id, excluded.id)

-- name: deleted_user_version
-- Say whether a user is still deleted.
SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM user WHERE id = :id)

-- name: forget_user_of_loans
-- Empty the user of the loans that have ended, and the hold that each filled; the loans stay for the statistics.
UPDATE loan SET user_id = NULL, hold_id = NULL WHERE user_id = :user AND returned_at IS NOT NULL

-- name: forget_user_of_requests
-- Empty the user of the requests that have ended.
UPDATE request SET user_id = NULL, user_as_sent = '' WHERE user_id = :user AND open = 0

-- name: forget_holds_of_recalls
-- Untie recalls from the ended holds of a user.
UPDATE recall SET hold_id = NULL
WHERE hold_id IN (SELECT id FROM hold WHERE user_id = :user AND state NOT IN ('waiting', 'ready'))

-- name: delete_ended_holds_of_user
-- Forget the holds of a user that have ended.
DELETE FROM hold WHERE user_id = :user AND state NOT IN ('waiting', 'ready')

-- ---------------------------------------------------------------------------------------------- accounts

-- name: fiscal_entry_by_reference
-- Find an entry of an account by its number, and by whose number that is.
SELECT {fiscal_entry} FROM fiscal_entry WHERE fiscal_entry.agency_id = :agency
  AND fiscal_entry.reference_agency = :reference_agency AND fiscal_entry.reference = :reference

-- name: fiscal_entry_by_id
-- Read one entry of an account.
SELECT {fiscal_entry} FROM fiscal_entry WHERE fiscal_entry.id = :id

-- name: fiscal_entries_of_user
-- List the newest entries of a user's account.
SELECT {fiscal_entry} FROM fiscal_entry WHERE fiscal_entry.user_id = :user ORDER BY fiscal_entry.id DESC LIMIT :most

-- name: fiscal_entries_of_loan
-- List what was charged and paid for a loan.
SELECT {fiscal_entry} FROM fiscal_entry WHERE fiscal_entry.loan_id = :loan ORDER BY fiscal_entry.id LIMIT 200

-- name: fiscal_cancellations_of_user
-- Read which entries of a user's account have been cancelled.
SELECT related FROM fiscal_entry WHERE user_id = :user AND action = 'Cancel'

-- name: fiscal_balances
-- Add up what a user owes, by currency.
SELECT currency, sum(effect) FROM fiscal_entry WHERE user_id = :user GROUP BY currency ORDER BY currency

-- name: insert_fiscal_entry
-- Post something on a user's account.
INSERT INTO fiscal_entry (agency_id, user_id, reference_agency, reference, action, type, amount, effect, currency,
    accrued_at, valid_from, valid_to, payment_method, description, related, request, item_id, loan_id)
VALUES (:agency, :user, :reference_agency, :reference, :action, :type, :amount, :effect, :currency,
    :accrued_at, :valid_from, :valid_to, :payment_method, :description, :related, :request, :item, :loan)

-- name: fiscal_entry_version
-- Say whether an entry is there; an entry is never changed.
SELECT 1 FROM fiscal_entry WHERE id = :id

-- ---------------------------------------------------------------------------------------------- records and items

-- name: record_by_id
-- Read one bibliographic record.
SELECT json_array({record}) FROM record WHERE record.id = :id

-- name: records_by_identifier
-- Find the records that have this number, whatever its kind.
SELECT DISTINCT json_array({record}) FROM record_identifier JOIN record ON record.id = record_identifier.record_id
WHERE record_identifier.agency_id = :agency AND record_identifier.value = :value

-- name: records_by_coded_identifier
-- Find the records that have this number of this kind.
SELECT DISTINCT json_array({record}) FROM record_identifier JOIN record ON record.id = record_identifier.record_id
WHERE record_identifier.agency_id = :agency AND record_identifier.value = :value
  AND record_identifier.code = :code COLLATE NOCASE

-- name: record_identifiers
-- List the numbers of a record.
SELECT record_id, code, value FROM record_identifier WHERE record_id = :record ORDER BY code, value

-- name: insert_record
-- Add a bibliographic record.
INSERT INTO record (agency_id, temporary, title, author, publisher, place, published, edition, medium, language, level,
    series, component_title, component_author)
VALUES (:agency, :temporary, :title, :author, :publisher, :place, :published, :edition, :medium, :language, :level,
    :series, :component_title, :component_author)

-- name: update_record
-- Replace the description of a record.
UPDATE record SET title = :title, author = :author, publisher = :publisher, place = :place, published = :published,
    edition = :edition, medium = :medium, language = :language, level = :level, series = :series,
    component_title = :component_title, component_author = :component_author WHERE id = :id

-- name: set_record_further
-- Keep what else a message says of a title: pagination, sponsor and their like.
UPDATE record SET further = :further WHERE id = :id

-- name: delete_record_identifiers
-- Forget the numbers of a record before new ones are written.
DELETE FROM record_identifier WHERE record_id = :record

-- name: insert_record_identifier
-- Give a record a number.
INSERT INTO record_identifier (agency_id, value, code, record_id) VALUES (:agency, :value, :code, :record)
ON CONFLICT DO NOTHING

-- name: item_by_barcode
-- Find the live item with this barcode.
SELECT json_array({item}) FROM item WHERE item.agency_id = :agency AND item.barcode = :barcode AND item.live = 1

-- name: item_at_hand
-- Find the live item with this barcode, its open loan, and whether anything is to do with it, or a hold it could fill.
SELECT json_array({item}),
  (SELECT json_array({loan}) FROM loan WHERE loan.item_id = item.id AND loan.returned_at IS NULL),
  EXISTS (SELECT 1 FROM task WHERE task.item_id = item.id AND task.done_at IS NULL),
  EXISTS (SELECT 1 FROM hold WHERE hold.item_id = item.id AND hold.state IN ('waiting', 'ready'))
    OR EXISTS (SELECT 1 FROM hold WHERE hold.record_id = item.record_id AND hold.state IN ('waiting', 'ready'))
FROM item WHERE item.agency_id = :agency AND item.barcode = :barcode AND item.live = 1

-- name: items_by_partner_item
-- Find the temporary items that a partner knows by this id, the newest first.
SELECT json_array({item}) FROM item WHERE item.agency_id = :agency AND item.partner = :partner
  AND item.partner_item_id = :partner_item AND item.temporary = 1 ORDER BY item.live DESC, item.id DESC LIMIT 20

-- name: withdrawn_item
-- Find the item that last had this barcode and is withdrawn.
SELECT json_array({item}) FROM item WHERE item.agency_id = :agency AND item.barcode = :barcode AND item.live = 0
ORDER BY item.id DESC LIMIT 1

-- name: items_in_network
-- Find live items with this barcode in the other agencies of a network.
SELECT json_array({item}) FROM agency CROSS JOIN item ON item.agency_id = agency.id
WHERE agency.network = :network AND agency.id <> :agency AND item.barcode = :barcode AND item.live = 1
  AND item.temporary = 0 LIMIT 2

-- name: item_by_id
-- Read one item.
SELECT json_array({item}) FROM item WHERE item.id = :id

-- name: items_of_record
-- List the live items of a record.
SELECT json_array({item}) FROM item WHERE item.record_id = :record AND item.live = 1 ORDER BY item.id LIMIT 500

-- name: items_of_record_after
-- Read the live items of a record of an agency, a page at a time.
SELECT json_array({item}) FROM item WHERE item.record_id = :record AND item.live = 1 AND item.agency_id = :agency AND item.id > :after
ORDER BY item.id LIMIT :most

-- name: items_of_set_after
-- Read the live items of a record in one place, a page at a time.
SELECT json_array({item}) FROM item WHERE item.record_id = :record AND item.live = 1 AND item.agency_id = :agency AND item.id > :after
  AND item.home_library_id = :library AND coalesce(item.permanent_location_id, 0) = :location
ORDER BY item.id LIMIT :most

-- name: count_waiting_holds_of_record
-- Count who waits for any copy of a record.
SELECT count(*) FROM hold WHERE record_id = :record AND state IN ('waiting', 'ready') AND state = 'waiting'

-- name: insert_item
-- Add an item.
INSERT INTO item (agency_id, record_id, barcode, status, temporary, partner, partner_item_id, circulates, policy,
    call_number, copy_number, volume, home_library_id, permanent_location_id, temporary_location_id, note)
VALUES (:agency, :record, :barcode, :status, :temporary, :partner, :partner_item, :circulates, :policy,
    :call_number, :copy_number, :volume, :home_library, :permanent_location, :temporary_location, :note)

-- name: update_item_description
-- Replace what a load says of an item; its circulation is left alone.
UPDATE item SET record_id = :record, circulates = :circulates, policy = :policy, call_number = :call_number,
    copy_number = :copy_number, volume = :volume, home_library_id = :home_library,
    permanent_location_id = :permanent_location, note = :note, version = version + 1 WHERE id = :id

-- name: update_item_fields
-- Write what UpdateItem changes of an item.
UPDATE item SET call_number = :call_number, copy_number = :copy_number, volume = :volume, pieces = :pieces,
    permanent_location_id = :permanent_location_id, temporary_location_id = :temporary_location_id,
    condition_type = :condition_type, condition_details = :condition_details, security_marker = :security_marker,
    sensitize = :sensitize, version = version + 1 WHERE id = :id

-- name: item_restrictions
-- List what limits the use of an item.
SELECT type FROM item_restriction WHERE item_id = :item ORDER BY type

-- name: restrictions_to_acknowledge
-- List the limits on the use of an item that a user must accept first.
SELECT type FROM item_restriction WHERE item_id = :item AND acknowledge = 1 ORDER BY type

-- name: require_acknowledgement
-- Limit the use of an item in a way that a user must accept first.
INSERT INTO item_restriction (item_id, type, acknowledge) VALUES (:item, :type, 1)
ON CONFLICT (item_id, type) DO UPDATE SET acknowledge = 1

-- name: set_item_resource
-- Write which electronic resource an item stands for; '' where it is none.
UPDATE item SET resource = :resource, version = version + 1 WHERE id = :id

-- name: set_item_fee
-- Write what borrowing an item costs, in minor units; NULL where it is free.
UPDATE item SET fee_amount = :amount, fee_currency = :currency, version = version + 1 WHERE id = :id

-- name: set_item_price
-- Write what replacing an item costs.
UPDATE item SET price_amount = :amount, price_currency = :currency, version = version + 1 WHERE id = :id

-- name: insert_item_restriction
-- Limit the use of an item.
INSERT INTO item_restriction (item_id, type) VALUES (:item, :type) ON CONFLICT DO NOTHING

-- name: delete_item_restriction
-- Lift a limit on the use of an item.
DELETE FROM item_restriction WHERE item_id = :item AND type = :type

-- name: delete_record_identifier
-- Take a number from a record.
DELETE FROM record_identifier WHERE agency_id = :agency AND value = :value AND code = :code AND record_id = :record

-- name: set_item_status
-- Move an item in circulation.
UPDATE item SET status = :status, version = version + 1 WHERE id = :id

-- name: set_item_lent
-- Put an item in the lending location, on loan.
UPDATE item SET status = 'on-loan', temporary_location_id = :location, version = version + 1 WHERE id = :id

-- name: set_item_home
-- Take an item out of its temporary location and say where it stands now.
UPDATE item SET status = :status, temporary_location_id = NULL, version = version + 1 WHERE id = :id

-- name: describe_temporary_item
-- Write what the receiving form says of a temporary item.
UPDATE item SET barcode = :barcode, call_number = :call_number, policy = :policy, note = :note, status = :status,
    version = version + 1 WHERE id = :id

-- name: set_partner_item
-- Note what the partner calls a temporary item that the desk had received.
UPDATE item SET partner_item_id = :partner_item, version = version + 1 WHERE id = :id

-- name: withdraw_item
-- Take a temporary item out of use; it keeps its barcode for later scans.
UPDATE item SET live = 0, status = 'withdrawn', version = version + 1 WHERE id = :id

-- name: touch_item
-- Say that answers about an item no longer hold.
UPDATE item SET version = version + 1 WHERE id = :id

-- name: item_version
-- Read the version of an item.
SELECT version FROM item WHERE id = :id

-- ---------------------------------------------------------------------------------------------- requests

-- name: requests_by_identifier
-- Find all requests of a partner with this id, open and new ones first, with their items and whether they have open tasks.
SELECT json_array({request}),
  (SELECT json_group_array(json_array({request_item})) FROM request_item WHERE request_item.request_id = request.id),
  EXISTS (SELECT 1 FROM task WHERE task.request_id = request.id AND task.done_at IS NULL)
FROM request WHERE request.agency_id = :agency AND request.partner = :partner AND request.identifier = :identifier
ORDER BY request.open DESC, request.id DESC LIMIT 20

-- name: requests_named
-- Find the requests with this id at an agency, open ones and new ones first.
SELECT json_array({request}) FROM request WHERE request.agency_id = :agency AND request.identifier = :identifier
ORDER BY request.open DESC, request.id DESC LIMIT 20

-- name: requests_known_as
-- Find the requests with this further id at an agency, open ones and new ones first.
SELECT json_array({request}) FROM request_identifier JOIN request ON request.id = request_identifier.request_id
WHERE request_identifier.agency_id = :agency AND request_identifier.value = :identifier
ORDER BY request.open DESC, request.id DESC LIMIT 20

-- name: insert_request_identifier
-- Keep a further id under which a request is known.
INSERT INTO request_identifier (agency_id, value, type, request_id) VALUES (:agency, :value, :type, :request)
ON CONFLICT DO NOTHING

-- name: has_unnamed_requests
-- Say whether there is any open request of a partner that it knows by no identifier.
SELECT 1 FROM request WHERE agency_id = :agency AND partner = :partner AND open = 1 AND identifier_made = 1 LIMIT 1

-- name: unnamed_requests
-- Find the open requests for an item, as its id was sent, that the partner knows by no identifier, oldest first.
SELECT json_array({request}) FROM request WHERE request.agency_id = :agency AND request.partner = :partner
  AND request.item_as_sent = :item AND request.open = 1 AND request.identifier_made = 1 ORDER BY request.id LIMIT 20

-- name: request_by_id
-- Read one request.
SELECT json_array({request}) FROM request WHERE request.id = :id

-- name: open_requests_of_item
-- Find the open requests among those that an item belonged to last.
SELECT json_array({request}) FROM
  (SELECT request_id FROM request_item WHERE item_id = :item AND state <> 'dropped' ORDER BY id DESC LIMIT 50) AS latest
JOIN request ON request.id = latest.request_id WHERE request.open = 1 ORDER BY request.id DESC

-- name: last_request_of_item
-- Find the request that an item belonged to last.
SELECT json_array({request}) FROM request_item JOIN request ON request.id = request_item.request_id
WHERE request_item.item_id = :item AND request_item.state <> 'dropped' ORDER BY request_item.id DESC LIMIT 1

-- name: open_requests_of_record
-- Find the open requests for a record, oldest first.
SELECT json_array({request}) FROM request WHERE request.record_id = :record AND request.open = 1 ORDER BY request.id LIMIT 50

-- name: requests_waiting_for_item
-- Find the lending requests that wait for a copy of a record, and those that go on without this item until it is free.
SELECT id FROM (SELECT id FROM request WHERE record_id = :record AND open = 1 AND role = 'lending'
  AND status = 'created-lending-request' AND digital = 0 ORDER BY id LIMIT 50) AS whole
UNION ALL SELECT request.id FROM
  (SELECT request_id, state FROM request_item WHERE item_id = :item ORDER BY id DESC LIMIT 50) AS latest
JOIN request ON request.id = latest.request_id
WHERE latest.state = 'waiting' AND request.open = 1 AND request.role = 'lending' AND request.digital = 0

-- name: open_requests_of_user
-- Find the open requests of a user.
SELECT json_array({request}) FROM request WHERE request.user_id = :user AND request.open = 1 ORDER BY request.id LIMIT 500

-- name: requests_by_status
-- List the open requests of a role in one status, newest first.
SELECT json_array({request}) FROM request WHERE request.agency_id = :agency AND request.role = :role AND request.status = :status
  AND request.open = 1 ORDER BY request.id DESC LIMIT :most

-- name: insert_request
-- Add a request.
INSERT INTO request (agency_id, role, partner, identifier, identifier_agency, open, status, digital, request_type,
    request_scope, user_id, user_as_sent, item_as_sent, record_id, title, author, pickup_library_id, partner_agency,
    our_agency_code, due_at, need_before, renewal_forbidden, note, created_at, identifier_made)
VALUES (:agency, :role, :partner, :identifier, :identifier_agency, :open, :status, :digital, :request_type,
    :request_scope, :user, :user_as_sent, :item_as_sent, :record, :title, :author, :pickup_library, :partner_agency,
    :our_agency_code, :due_at, :need_before, :renewal_forbidden, :note, :created_at, :identifier_made)

-- name: set_request_status
-- Move a request along its lifecycle.
UPDATE request SET status = :status, open = :open, version = version + 1 WHERE id = :id

-- name: name_request
-- Give a request the identifier by which its partner knows it.
UPDATE request SET identifier = :identifier, identifier_agency = :identifier_agency, identifier_made = 0,
    version = version + 1 WHERE id = :id

-- name: set_request_due
-- Write the lender's date for return.
UPDATE request SET due_at = :due_at, version = version + 1 WHERE id = :id

-- name: set_request_record
-- Tie a request to the record and the description that it is about.
UPDATE request SET record_id = :record, title = :title, author = :author, version = version + 1 WHERE id = :id

-- name: set_request_details
-- Write when, where and at what cost a request is wanted.
UPDATE request SET earliest_needed = :earliest_needed, need_before = :need_before,
    pickup_library_id = :pickup_library_id, pickup_expires = :pickup_expires, available_at = :available_at,
    shipping = :shipping, fee_acknowledged = :fee_acknowledged, fee_paid = :fee_paid, fee_currency = :fee_currency,
    version = version + 1 WHERE id = :id

-- name: complete_request_facts
-- Write what AcceptItem says of a borrowing request.
UPDATE request SET user_id = :user, due_at = :due_at, pickup_library_id = :pickup_library,
    renewal_forbidden = :renewal_forbidden, digital = :digital, version = version + 1 WHERE id = :id

-- name: touch_request
-- Say that answers about a request no longer hold.
UPDATE request SET version = version + 1 WHERE id = :id

-- name: request_version
-- Read the version of a request.
SELECT version FROM request WHERE id = :id

-- name: insert_request_event
-- Write a line of a request's history.
INSERT INTO request_event (request_id, at, event, status, note) VALUES (:request, :at, :event, :status, :note)

-- name: request_events
-- Read the history of a request.
SELECT at, event, status, note FROM request_event WHERE request_id = :request ORDER BY id LIMIT 500

-- name: request_items
-- List the items of a request.
SELECT json_array({request_item}) FROM request_item WHERE request_item.request_id = :request ORDER BY request_item.id

-- name: request_item
-- Find an item's place in a request.
SELECT json_array({request_item}) FROM request_item WHERE request_item.request_id = :request AND request_item.item_id = :item

-- name: request_item_version
-- Read the version of an item's place in a request.
SELECT version FROM request_item WHERE id = :id

-- name: insert_request_item
-- Make an item part of a request.
INSERT INTO request_item (request_id, item_id, loan_id, state) VALUES (:request, :item, :loan, :state)

-- name: readmit_request_item
-- Take an item of a request in again.
UPDATE request_item SET loan_id = coalesce(:loan, loan_id), state = :state, before = state, version = version + 1
WHERE id = :id

-- name: set_request_item
-- Move an item within its request.
UPDATE request_item SET loan_id = :loan, state = :state, version = version + 1 WHERE id = :id

-- ---------------------------------------------------------------------------------------------- loans and holds

-- name: open_loan_of_item
-- Find the loan on which an item is out.
SELECT json_array({loan}) FROM loan WHERE loan.item_id = :item AND loan.returned_at IS NULL

-- name: loan_by_id
-- Read one loan.
SELECT json_array({loan}) FROM loan WHERE loan.id = :id

-- name: open_loans_of_user
-- List what a user has on loan.
SELECT json_array({loan}) FROM loan WHERE loan.user_id = :user AND loan.returned_at IS NULL ORDER BY loan.id LIMIT 500

-- name: count_loans_of_user_by_status
-- Count what a user has on loan, by where the items stand and whether they are recalled.
SELECT item.status, loan.recalled_at IS NOT NULL, count(*) FROM loan JOIN item ON item.id = loan.item_id
WHERE loan.user_id = :user AND loan.returned_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2

-- name: count_open_loans_of_user
-- Count what a user has on loan.
SELECT count(*) FROM loan WHERE user_id = :user AND returned_at IS NULL

-- name: last_loan_begun
-- Find the loan of an item that began last, up to a moment.
SELECT json_array({loan}) FROM loan WHERE loan.item_id = :item AND loan.out_at <= :at AND loan.mark <> 'undone'
ORDER BY loan.out_at DESC, loan.id DESC LIMIT 1

-- name: last_loan
-- Find the loan of an item that was made last, taken back or not.
SELECT json_array({loan}) FROM loan WHERE loan.item_id = :item AND loan.mark <> 'return'
ORDER BY loan.out_at DESC, loan.id DESC LIMIT 1

-- name: next_loan_begun
-- Find the loan of an item that began first after a moment.
SELECT json_array({loan}) FROM loan WHERE loan.item_id = :item AND loan.out_at > :at AND loan.mark <> 'undone'
ORDER BY loan.out_at, loan.id LIMIT 1

-- name: insert_past_loan
-- Write down a loan that was over before it was told; of some, only the end is known.
INSERT INTO loan (agency_id, item_id, user_id, partner, request_id, out_at, due_at, returned_at, reported, mark)
VALUES (:agency, :item, :user, :partner, :request, :out_at, :due_at, :returned_at, 1, :mark)

-- name: mark_loan
-- Note what is said of a loan beside out and back.
UPDATE loan SET mark = :mark, claimed_at = :claimed_at, version = version + 1 WHERE id = :id

-- name: undo_loan
-- Take back a loan that was made in error: it ended as it began.
UPDATE loan SET mark = 'undone', returned_at = out_at, version = version + 1 WHERE id = :id

-- name: set_loan_hold
-- Note which hold a loan filled.
UPDATE loan SET hold_id = :hold, version = version + 1 WHERE id = :id

-- name: set_loan_renewed
-- Write a renewal that was told with its date; no wish waits any more.
UPDATE loan SET due_at = :due_at, renewals = renewals + 1, renewed_at = :renewed_at, desired_due_at = NULL,
    version = version + 1
WHERE id = :id

-- name: set_loan_wish
-- Note a renewal wish that is being decided, or forget it.
UPDATE loan SET desired_due_at = :desired_due_at, version = version + 1 WHERE id = :id

-- name: insert_loan
-- Lend an item.
INSERT INTO loan (agency_id, item_id, user_id, partner, request_id, out_at, due_at, reported)
VALUES (:agency, :item, :user, :partner, :request, :out_at, :due_at, :reported)

-- name: set_loan_due
-- Move the due date of a loan, counting a renewal or not; a renewal decides what was wished.
UPDATE loan SET due_at = :due_at, renewals = renewals + :renewals,
    desired_due_at = CASE WHEN :renewals > 0 THEN NULL ELSE desired_due_at END, version = version + 1
WHERE id = :id

-- name: report_loan
-- Note that a message confirmed a loan that the desk had made, with its due date.
UPDATE loan SET reported = 1, due_at = :due_at, version = version + 1 WHERE id = :id

-- name: set_loan_recalled
-- Note that a loan is recalled, and its new due date.
UPDATE loan SET recalled_at = :recalled_at, due_at = :due_at, version = version + 1 WHERE id = :id

-- name: return_loan
-- End a loan.
UPDATE loan SET returned_at = :returned_at, version = version + 1 WHERE id = :id

-- name: loan_version
-- Read the version of a loan.
SELECT version FROM loan WHERE id = :id

-- name: insert_recall
-- Note a recall.
INSERT INTO recall (agency_id, loan_id, hold_id, asked_by, due_at, was_due_at, was_return_by, placed_at)
VALUES (:agency, :loan, :hold, :asked_by, :due_at, :was_due_at, :was_return_by, :placed_at)

-- name: last_recall_of_loan
-- Find the newest recall of a loan, cancelled or not.
SELECT {recall} FROM recall WHERE recall.loan_id = :loan ORDER BY recall.id DESC LIMIT 1

-- name: cancel_recall
-- Note that a recall is over, because the loan was renewed after it.
UPDATE recall SET cancelled_at = :at WHERE loan_id = :loan AND cancelled_at IS NULL

-- name: insert_hold
-- Place a hold.
INSERT INTO hold (agency_id, user_id, record_id, item_id, request_id, pickup_library_id, state, placed_at, expires_at,
  partner, identifier)
VALUES (:agency, :user, :record, :item, :request, :pickup_library, :state, :placed_at, :expires_at,
  :partner, :identifier)

-- name: open_holds_on_item
-- List the holds that an item could fill, on it or on its record, oldest first.
SELECT json_array({hold}), hold.id FROM hold WHERE hold.item_id = :item AND hold.state IN ('waiting', 'ready')
UNION SELECT json_array({hold}), hold.id FROM hold WHERE hold.record_id = :record AND hold.state IN ('waiting', 'ready')
  AND (hold.item_id IS NULL OR hold.item_id = :item) ORDER BY 2 LIMIT 200

-- name: open_holds_of_record
-- List the holds that any copy of a record could fill, oldest first.
SELECT json_array({hold}) FROM hold WHERE hold.record_id = :record AND hold.state IN ('waiting', 'ready') ORDER BY hold.id LIMIT 200

-- name: touch_hold
-- Say that what belongs to a hold has changed.
UPDATE hold SET version = version + 1 WHERE id = :id

-- name: ended_holds_like
-- Find the holds that a user has had for the same, among the latest.
SELECT id FROM (SELECT id, item_id, record_id, state FROM hold WHERE user_id = :user ORDER BY id DESC LIMIT 50) AS latest
WHERE state NOT IN ('waiting', 'ready') AND item_id IS :item AND record_id IS :record

-- name: open_holds_of_user
-- List the holds of a user, oldest first.
SELECT json_array({hold}) FROM hold WHERE hold.user_id = :user AND hold.state IN ('waiting', 'ready') ORDER BY hold.id LIMIT 500

-- name: holds_of_request
-- List the holds that a borrowing request placed.
SELECT json_array({hold}) FROM hold WHERE hold.request_id = :request ORDER BY hold.id LIMIT 200

-- name: hold_named
-- Find the newest hold that a partner calls by this number of its own.
SELECT json_array({hold}) FROM hold WHERE hold.agency_id = :agency AND hold.partner = :partner AND hold.identifier = :identifier
  AND hold.identifier <> '' ORDER BY hold.id DESC LIMIT 1

-- name: hold_by_id
-- Read one hold.
SELECT json_array({hold}) FROM hold WHERE hold.id = :id

-- name: set_hold
-- Move a hold, and tie it to an item.
UPDATE hold SET state = :state, item_id = :item, expires_at = :expires_at, version = version + 1 WHERE id = :id

-- name: set_hold_details
-- Keep what a hold says beside who and what: place, dates, addresses, fees.
UPDATE hold SET pickup_library_id = :pickup_library, expires_at = :expires_at, details = :details, version = version + 1
WHERE id = :id

-- name: hold_version
-- Read the version of a hold.
SELECT version FROM hold WHERE id = :id

-- ---------------------------------------------------------------------------------------------- people

-- name: insert_notice
-- Queue a message to a user.
INSERT INTO notice (agency_id, user_id, request_id, type, content, created_at)
VALUES (:agency, :user, :request, :type, :content, :created_at)

-- name: insert_timed_notice
-- Queue a message to a user for a certain time, or keep one that has been sent.
INSERT INTO notice (agency_id, user_id, type, content, created_at, send_at, sent_at)
VALUES (:agency, :user, :type, :content, :created_at, :send_at, :sent_at)

-- name: notice_version
-- Say whether a message to a user is there.
SELECT 1 FROM notice WHERE id = :id

-- name: notice_sent_at
-- Find a message to a user that is known to have been sent at this time.
SELECT id FROM notice WHERE user_id = :user AND type = :type AND sent_at = :sent_at AND content = :content LIMIT 1

-- name: lease_notices
-- Take the next messages to users that are due, and say until when.
UPDATE notice SET send_at = :until, attempts = attempts + 1
WHERE id IN (SELECT id FROM notice WHERE sent_at IS NULL AND send_at <= :now ORDER BY send_at, id LIMIT :most)
RETURNING id, agency_id, user_id, type, content, created_at, attempts

-- name: next_notice_time
-- Say when the next message to a user is due.
SELECT min(send_at) FROM notice WHERE sent_at IS NULL

-- name: settle_notice
-- Note that a message to a user was sent.
UPDATE notice SET sent_at = :at, error = '' WHERE id = :id

-- name: postpone_notice
-- Put a message to a user back, with the reason and the next time.
UPDATE notice SET send_at = :send_at, error = :error WHERE id = :id

-- name: notices_of_user
-- List the newest messages to a user.
SELECT {notice} FROM notice WHERE notice.user_id = :user ORDER BY notice.id DESC LIMIT 100

-- name: insert_task
-- Put something on the task list.
INSERT INTO task (agency_id, role, kind, request_id, item_id, note, created_at)
VALUES (:agency, :role, :kind, :request, :item, :note, :created_at)

-- name: open_tasks
-- Read the task list of a role, oldest first.
SELECT json_array({task}) FROM task WHERE task.agency_id = :agency AND task.role = :role AND task.done_at IS NULL AND task.id > :after
ORDER BY task.id LIMIT :most

-- name: open_tasks_of_request
-- List what is still to do for a request.
SELECT json_array({task}) FROM task WHERE task.request_id = :request AND task.done_at IS NULL ORDER BY task.id

-- name: open_tasks_of_item
-- List what is still to do with an item.
SELECT json_array({task}) FROM task WHERE task.item_id = :item AND task.done_at IS NULL ORDER BY task.id

-- name: finish_tasks_of_request
-- Strike tasks of one kind for a request.
UPDATE task SET done_at = :at WHERE request_id = :request AND kind = :kind AND done_at IS NULL

-- name: finish_all_tasks_of_request
-- Strike every task of a request.
UPDATE task SET done_at = :at WHERE request_id = :request AND done_at IS NULL

-- name: finish_tasks_of_item
-- Strike tasks of one kind for an item.
UPDATE task SET done_at = :at WHERE item_id = :item AND kind = :kind AND done_at IS NULL

-- name: finish_task
-- Strike one task.
UPDATE task SET done_at = :at WHERE id = :id AND agency_id = :agency AND done_at IS NULL

-- name: operator_by_token
-- Find who holds this token.
SELECT id, agency_id, name FROM operator WHERE token_hash = :token_hash AND revoked_at IS NULL

-- name: insert_operator
-- Give a person access to an agency's desk.
INSERT INTO operator (agency_id, name, token_hash, created_at) VALUES (:agency, :name, :token_hash, :created_at)
ON CONFLICT (agency_id, name) DO UPDATE SET token_hash = excluded.token_hash, revoked_at = NULL RETURNING id

-- name: desk_answer
-- Find the answer already given to an Idempotency-Key.
SELECT fingerprint, status, answer FROM desk_answer WHERE agency_id = :agency AND operator = :operator AND key = :key

-- name: insert_desk_answer
-- Keep the answer to an Idempotency-Key.
INSERT INTO desk_answer (agency_id, operator, key, fingerprint, status, answer, stored_at)
VALUES (:agency, :operator, :key, :fingerprint, :status, :answer, :stored_at)

-- ---------------------------------------------------------------------------------------------- messages

-- name: insert_journal
-- Write a line of the audit trail.
INSERT INTO journal (id, at, agency_id, partner, direction, service, verdict, side, request_id, correlation, operator,
    repairs, note)
VALUES (:id, :at, :agency, :partner, :direction, :service, :verdict, :side, :request, :correlation, :operator, :repairs,
    :note)

-- name: insert_message_body
-- Keep what was said in many messages, word for word.
INSERT INTO message_body (journal_id, at, words) VALUES (:journal, :at, :words)

-- name: journal_of_request
-- Read the audit trail of a request.
SELECT id, at, partner, direction, service, verdict, side, correlation, operator, repairs, note FROM journal
WHERE request_id = :request ORDER BY id LIMIT 500

-- name: journal_of_agency
-- Read the newest lines of an agency's audit trail.
SELECT id, at, partner, direction, service, verdict, side, correlation, operator, repairs, note FROM journal
WHERE agency_id = :agency AND id < :before ORDER BY id DESC LIMIT :most

-- name: message_body
-- Read what was said in one message and in others.
SELECT words FROM message_body WHERE journal_id <= :journal ORDER BY journal_id DESC LIMIT 1

-- name: stored_reply
-- Find the answer last given to this message.
SELECT stored_at, traces, journal_id, body FROM reply
WHERE identity = :identity AND agency_id = :agency AND partner = :partner AND service = :service ORDER BY id DESC LIMIT 1

-- name: insert_reply
-- Keep an answer for when the message comes again.
INSERT INTO reply (id, identity, agency_id, partner, service, stored_at, traces, journal_id, body)
VALUES (:id, :identity, :agency, :partner, :service, :stored_at, :traces, :journal, :body)

-- name: insert_outbox
-- Queue a message to a partner.
INSERT INTO outbox (agency_id, partner, service, request_id, loan_id, body, state, next_at, created_at)
VALUES (:agency, :partner, :service, :request, :loan, :body, :state, :next_at, :created_at)

-- name: lease_outbox
-- Take the next messages that are due, one at most for each request, and say until when.
UPDATE outbox SET state = 'sending', attempts = attempts + 1, leased_until = :leased_until, next_at = :leased_until
WHERE id IN (
    SELECT due.id FROM outbox AS due WHERE due.state IN ('queued', 'sending') AND due.next_at <= :now
      AND NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.request_id = due.request_id
                      AND earlier.id < due.id AND earlier.state IN ('queued', 'sending'))
    ORDER BY due.next_at, due.id LIMIT :most)
RETURNING id, agency_id, partner, service, request_id, loan_id, body, attempts

-- name: next_outbox_time
-- Say when the next message is due.
SELECT min(next_at) FROM outbox WHERE state IN ('queued', 'sending')

-- name: settle_outbox
-- Note that a message was answered.
UPDATE outbox SET state = 'sent', answer = :answer, error = '', settled_at = :at, leased_until = NULL WHERE id = :id

-- name: retry_outbox
-- Put a message back, with the reason and the next time.
UPDATE outbox SET state = :state, error = :error, next_at = :next_at, leased_until = NULL WHERE id = :id

-- name: revive_outbox
-- Try a message again now, whatever became of it before.
UPDATE outbox SET state = 'queued', attempts = 0, next_at = :now, leased_until = NULL
WHERE id = :id AND agency_id = :agency AND state IN ('queued', 'dead')

-- name: outbox_of_agency
-- List the newest messages of an agency in one state.
SELECT id, partner, service, request_id, state, attempts, next_at, error, created_at, settled_at, body, answer FROM outbox
WHERE agency_id = :agency AND state = :state ORDER BY id DESC LIMIT :most

-- name: outbox_depth
-- Count what waits to be sent and what was given up.
SELECT 'queued', count(*) FROM outbox WHERE state IN ('queued', 'sending') AND next_at >= 0 AND state = 'queued'
UNION ALL SELECT 'sending', count(*) FROM outbox WHERE state IN ('queued', 'sending') AND next_at >= 0 AND state = 'sending'
UNION ALL SELECT 'dead', count(*) FROM outbox WHERE state = 'dead' AND created_at >= 0

-- ---------------------------------------------------------------------------------------------- housekeeping

-- name: delete_old_replies
-- Forget stored answers whose time is over, a few at a time.
DELETE FROM reply WHERE id IN (SELECT id FROM reply ORDER BY id LIMIT :most) AND stored_at < :before

-- name: delete_old_desk_answers
-- Forget stored desk answers whose time is over, a few at a time.
DELETE FROM desk_answer WHERE (agency_id, operator, key) IN
  (SELECT agency_id, operator, key FROM desk_answer WHERE stored_at < :before LIMIT :most)

-- name: delete_old_bodies
-- Forget the text of the oldest messages, some at a time, where their time is over; the audit trail stays.
DELETE FROM message_body WHERE journal_id IN (SELECT journal_id FROM message_body ORDER BY journal_id LIMIT :most)
  AND at < :before

-- name: setting
-- Read a fact about the store.
SELECT value FROM setting WHERE name = :name

-- name: insert_setting
-- Write a fact about the store once.
INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING
