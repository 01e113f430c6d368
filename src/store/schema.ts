import type { Generated } from 'kysely'
import type { BackfillMode, BackfillState } from '../contracts/backfill.ts'
import type { DeliveryCall, Destination } from '../contracts/delivery.ts'
import type { Source } from '../contracts/inbox.ts'

/**
 * The tables as queries see them; migrations/ makes them. All times are milliseconds since 1970, UTC; JSON columns
 * are text.
 */
export interface Tables {
  inbox: InboxTable
  outbox: OutboxTable
  attempts: AttemptsTable
  replays: ReplaysTable
  replayed: ReplayedTable
  places: PlacesTable
  poll_places: PollPlacesTable
  users: UsersTable
  accounts: AccountsTable
  memberships: MembershipsTable
  user_events: UserEventsTable
  responses: ResponsesTable
  backfills: BackfillsTable
  sent_before: SentBeforeTable
  identities: IdentitiesTable
  contact_identities: ContactIdentitiesTable
  privacy_salt: PrivacySaltTable
  tombstones: TombstonesTable
  receipts: ReceiptsTable
  erasures: ErasuresTable
  forget_requests: ForgetRequestsTable
  doomed: DoomedTable
  segments: SegmentsTable
  segment_members: SegmentMembersTable
  segment_users_changed: SegmentUsersChangedTable
  segment_accounts_changed: SegmentAccountsChangedTable
}

/** What was acknowledged, as it came. `received` waits for the mapping, `mapped` has its deliveries. */
interface InboxTable {
  id: Generated<number>
  tenant: string
  source: Source
  dedup_key: string
  payload: string
  received_at: number
  state: 'received' | 'mapped'
  /** How many of the messages it became were there already, under the same ID. */
  copies: number
  /** How often it was put back to be mapped again. */
  replays: number
  /** 1 once what it says about people is kept; when it is mapped anew, that must not come over what was learned since. */
  people_kept: 0 | 1
  origin: Generated<Origin>
}

/** What brought an item of Refiner; all of Segment's are `webhook`. */
export type Origin = 'webhook' | 'poll' | 'backfill'

interface PollPlacesTable {
  tenant: string
  /** What happened before is for a backfill. */
  begun_at: number
  seen_until: number
  swept_at: number
  last_success_at: number | null
  missed: number
  last_missed_at: number | null
}

export type DeliveryState = 'pending' | 'leased' | 'delivered' | 'dead' | 'skipped'

/** Deliveries, in order of arrival by `id`. */
interface OutboxTable {
  id: Generated<number>
  inbox_id: number
  tenant: string
  destination: Destination
  call: DeliveryCall
  user_key: string
  message_id: string
  payload: string | null
  state: DeliveryState
  reason: string | null
  /** What a plugin said of why it failed. */
  detail: string | null
  /** What the mapping could not do as it was told. */
  notes: string | null
  /** What the destination said when it rejected the message, cut short. */
  answer: string | null
  /**
   * 1 for the first open delivery of its user at its destination. Only a head can be due, and the user's next ones
   * follow it: so what waits behind costs nothing until its turn.
   */
  head: 0 | 1
  attempts: number
  first_attempt_at: number | null
  not_before: number
  lease: string | null
  leased_until: number | null
  created_at: number
  settled_at: number | null
}

/** Attempts that failed: each row holds those in a row of one delivery that came to the same. */
interface AttemptsTable {
  delivery_id: number
  /** Of the first one, from 1; a delivery that is replayed goes on counting. */
  number: number
  times: number
  /** When they were, divided by commas; of very many only the first ones. */
  moments: string
  last_at: number
  /** HTTP's; null without an answer. */
  status: number | null
  result: 'retry' | 'throttled' | 'unauthorized' | 'rejected'
  reason: string
  /** What the destination said, cut short and without what looks like a key. */
  answer: string | null
}

/** Who replayed what, when. */
interface ReplaysTable {
  id: Generated<number>
  at: number
  by: string
  /** What was asked for, as JSON. */
  filter: string
  /** How far it has come: the last ID that was looked at. */
  place: number
  /** Deliveries behind this ID are not meant. */
  until_id: number
  resent: number
  remapped: number
  orphaned: number
  /** Null while it goes on, or when whoever asked for it broke it off. */
  finished_at: number | null
}

/** What was replayed. It stays with the item, since a delivery that is mapped anew goes. */
interface ReplayedTable {
  inbox_id: number
  delivery_id: number
  replay_id: number
  how: 'resent' | 'remapped'
  at: number
  /** Why it had been dead or skipped. */
  reason: string
}

/** The IDs of deliveries that went to be mapped anew: what is made in their place takes them, and so their order. */
interface PlacesTable {
  inbox_id: number
  id: number
  destination: Destination
  created_at: number
}

interface UsersTable {
  tenant: string
  user_id: string
  email: string | null
  /** The contact's uuid at Refiner, once known. */
  refiner_uuid: string | null
  traits: string
  first_seen_at: number
  last_seen_at: number
}

interface AccountsTable {
  tenant: string
  account_id: string
  traits: string
  first_seen_at: number
  last_seen_at: number
}

interface MembershipsTable {
  tenant: string
  user_id: string
  account_id: string
  first_seen_at: number
  last_seen_at: number
}

interface UserEventsTable {
  tenant: string
  user_id: string
  name: string
  count: number
  first_at: number
  last_at: number
}

/** The latest known state of each survey response. */
interface ResponsesTable {
  tenant: string
  response_uuid: string
  survey_uuid: string | null
  survey_name: string | null
  /** Null while the contact has no user ID. */
  user_id: string | null
  contact_uuid: string | null
  answers: string
  tags: string | null
  first_shown_at: string | null
  last_shown_at: string | null
  last_data_reception_at: string | null
  completed_at: string | null
  dismissed_at: string | null
  updated_at: number
}

/** Jobs that bring over what Refiner knows of the time before. */
interface BackfillsTable {
  id: Generated<number>
  tenant: string
  at: number
  by: string
  /** What was asked for, as JSON: a `BackfillFilter`. */
  filter: string
  mode: BackfillMode
  state: BackfillState
  /** Why it failed. */
  reason: string | null
  /** How far it has come, as JSON: a `BackfillCursor`. */
  cursor: string
  /** How many responses Refiner says there are; null before it has said so. */
  total: number | null
  /** What came of it, as JSON: `BackfillCounts`. */
  counts: string
  /** Of the inbox items behind this ID up to the other one the messages are not in the counts yet. */
  uncounted_after: number | null
  uncounted_until: number | null
  updated_at: number
  finished_at: number | null
}

/** What was delivered to Segment and has been removed since; `key` is a hash of the interaction and its user. */
interface SentBeforeTable {
  tenant: string
  key: string
}

/** What else a user is known by, once and for all: an email that was changed still links what was said under it. */
interface IdentitiesTable {
  tenant: string
  kind: 'uuid' | 'email'
  /** Of an email its normal form. */
  value: string
  user_id: string
  /** 1 when it was another user's, too, by the time it became this one's, or became another's later. */
  shared: 0 | 1
  first_seen_at: number
}

/** What a contact of Refiner that had no user ID was known by besides its uuid. */
interface ContactIdentitiesTable {
  tenant: string
  contact_uuid: string
  kind: 'uuid' | 'email'
  value: string
  first_seen_at: number
}

/** Random, of this database: one row. */
interface PrivacySaltTable {
  id: 1
  salt: string
}

/** By what somebody was known who is not to come back. */
interface TombstonesTable {
  tenant: string
  hash: string
  kind: 'forgotten' | 'suppressed'
  at: number
  /** Of what set it; those of one receipt are lifted together. */
  receipt_id: number
}

/** What was done when somebody asked to be forgotten. No personal data. */
interface ReceiptsTable {
  id: Generated<number>
  tenant: string
  /** Of the identifier that was named. */
  hash: string
  what: 'forget' | 'suppress' | 'lift'
  by: string
  asked_at: number
  done_at: number
  /** When the bytes that were freed had been overwritten; null until then. */
  swept_at: number | null
  /** How many rows of each table went, as JSON. */
  counts: string
  /** 0 when so much hung together that not all identifiers were followed. */
  complete: 0 | 1
  refiner: 'not asked' | 'waits' | 'deleted' | 'failed'
  refiner_at: number | null
  /** HTTP's, of its last answer. */
  refiner_status: number | null
}

/** A deletion at Refiner that waits to be sent. */
interface ErasuresTable {
  delivery_id: number
  receipt_id: number
}

/** An item of Segment that asks for somebody to be forgotten, until that is done. */
interface ForgetRequestsTable {
  inbox_id: number
}

/** An item or a delivery of somebody who was forgotten, which is still to be removed. */
interface DoomedTable {
  receipt_id: number
  kind: 'item' | 'delivery'
  id: number
}

/** The segments of the configuration, and those that it no longer has until their members are removed. */
interface SegmentsTable {
  id: Generated<number>
  tenant: string
  name: string
  /** The CEL condition in force. */
  condition: string
  /** The uuid of a manual segment of Refiner that has the same members; null where there is none. */
  refiner_segment: string | null
  /** What Segment is told: a trait that is true or false, and events; null where it is not. */
  trait: string | null
  entered_event: string | null
  left_event: string | null
  /** Counts what was changed about it. */
  revision: number
  /** Kept by triggers. */
  members: number
  /** Everybody up to this user ID has been looked at; null once all have been. */
  scanned_until: string | null
  /** What members are told of in that scan though they stay, as JSON: see `Retold`. */
  retell: string
  created_at: number
  retired_at: number | null
}

/** Who is in a segment, and who once was. */
interface SegmentMembersTable {
  segment_id: number
  tenant: string
  user_id: string
  member: 0 | 1
  /** How often the user entered or left: it tells one time from the next. */
  changes: number
  changed_at: number
}

/** Users of whom something changed that segments are made of, in that order; written by triggers. */
interface SegmentUsersChangedTable {
  place: Generated<number>
  tenant: string
  user_id: string
}

/** Accounts whose traits changed: their members are looked at in the order of their user IDs. */
interface SegmentAccountsChangedTable {
  place: Generated<number>
  tenant: string
  account_id: string
  done_until: string
  again: 0 | 1
}
