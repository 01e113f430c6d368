import { parseExact } from '../json/parse-exact.ts'
import type { SharedIdentity } from '../store/identities.ts'
import { MOST_SHOWN, type Profile, type UserDelivery, type UserResponse } from '../store/profiles.ts'
import type { UserSummary } from '../store/users.ts'
import { iso } from './shown-delivery.ts'

/** As the API shows a user: snake case, moments in ISO 8601. */
export interface ShownUser {
  readonly tenant: string
  readonly id: string
  readonly email: string | null
  readonly refiner_uuid: string | null
  readonly first_seen_at: string
  readonly last_seen_at: string
}

export interface ShownProfile extends ShownUser {
  readonly traits: unknown
  readonly identifiers: ShownIdentifiers
  readonly accounts: readonly ShownAccount[]
  readonly events: readonly ShownEvent[]
  readonly segments: readonly ShownUserSegment[]
  /** The newest first. */
  readonly responses: readonly ShownResponse[]
  /** The newest response with answers. */
  readonly last_answered: ShownResponse | null
  readonly pending: readonly ShownUserDelivery[]
  readonly dead: readonly ShownUserDelivery[]
  /** The lists that have more than is shown; the export has all of it. */
  readonly more: readonly (keyof typeof MOST_SHOWN)[]
}

export interface ShownIdentifiers {
  readonly emails: readonly string[]
  readonly uuids: readonly string[]
  /** What belongs to several user IDs, and so to nobody for certain. */
  readonly shared: readonly {
    readonly kind: string
    readonly value: string
    readonly user_ids: readonly string[]
  }[]
  readonly complete: boolean
}

export interface ShownAccount {
  readonly id: string
  readonly traits: unknown
  readonly first_seen_at: string
  readonly last_seen_at: string
}

export interface ShownEvent {
  readonly name: string
  readonly count: number
  readonly first_at: string
  readonly last_at: string
}

export interface ShownUserSegment {
  readonly name: string
  /** False for one that the user has left. */
  readonly member: boolean
  readonly since: string
}

export interface ShownResponse {
  readonly uuid: string
  readonly survey: { readonly uuid: string | null; readonly name: string | null }
  /** Null where it was given before the contact was identified. */
  readonly user_id: string | null
  readonly contact_uuid: string | null
  readonly answers: Readonly<Record<string, unknown>>
  readonly tags: unknown
  readonly first_shown_at: string | null
  readonly last_shown_at: string | null
  readonly last_data_reception_at: string | null
  readonly completed_at: string | null
  readonly dismissed_at: string | null
  readonly updated_at: string
}

export interface ShownUserDelivery {
  readonly id: number
  readonly destination: string
  readonly call: string
  readonly state: string
  readonly reason: string | null
  readonly attempts: number
  readonly created_at: string
  readonly settled_at: string | null
}

export function summary(user: Omit<UserSummary, 'row'>): ShownUser {
  const { tenant, userId, email, refinerUuid, firstSeenAt, lastSeenAt } = user
  return {
    tenant,
    id: userId,
    email,
    refiner_uuid: refinerUuid,
    first_seen_at: iso(firstSeenAt),
    last_seen_at: iso(lastSeenAt),
  }
}

export function profile(found: Profile): ShownProfile {
  const { accounts, events, segments, responses, pending, dead } = found
  const { emails, uuids, shared, complete } = found.person.identifiers
  const lists = { accounts, events, segments, responses, pending, dead }
  const names = Object.keys(MOST_SHOWN) as (keyof typeof MOST_SHOWN)[]
  const shown = responses.slice(0, MOST_SHOWN.responses).map(response)
  return {
    ...summary(found),
    traits: parseExact(found.traits),
    identifiers: { emails, uuids, shared: shared.map(sharedIdentity), complete },
    accounts: accounts.slice(0, MOST_SHOWN.accounts).map(account),
    events: events.slice(0, MOST_SHOWN.events).map(event),
    segments: segments.slice(0, MOST_SHOWN.segments).map(segment),
    responses: shown,
    last_answered: shown.find(({ answers }) => Object.keys(answers).length > 0) ?? null,
    pending: pending.slice(0, MOST_SHOWN.pending).map(delivery),
    dead: dead.slice(0, MOST_SHOWN.dead).map(delivery),
    more: names.filter((name) => lists[name].length > MOST_SHOWN[name]),
  }
}

export function sharedIdentity({ kind, value, userIds }: SharedIdentity) {
  return { kind, value, user_ids: userIds }
}

export function account(of: Profile['accounts'][number]): ShownAccount {
  const { accountId, traits, firstSeenAt, lastSeenAt } = of
  return {
    id: accountId,
    traits: parseExact(traits),
    first_seen_at: iso(firstSeenAt),
    last_seen_at: iso(lastSeenAt),
  }
}

export function event({ name, count, firstAt, lastAt }: Profile['events'][number]): ShownEvent {
  return { name, count, first_at: iso(firstAt), last_at: iso(lastAt) }
}

export function segment({ name, member, changedAt }: Profile['segments'][number]): ShownUserSegment {
  return { name, member: member === 1, since: iso(changedAt) }
}

export function response(of: UserResponse): ShownResponse {
  return {
    uuid: of.responseUuid,
    survey: { uuid: of.surveyUuid, name: of.surveyName },
    user_id: of.userId,
    contact_uuid: of.contactUuid,
    answers: parseExact(of.answers) as Record<string, unknown>,
    tags: of.tags === null ? null : parseExact(of.tags),
    first_shown_at: of.firstShownAt,
    last_shown_at: of.lastShownAt,
    last_data_reception_at: of.lastDataReceptionAt,
    completed_at: of.completedAt,
    dismissed_at: of.dismissedAt,
    updated_at: iso(of.updatedAt),
  }
}

function delivery(of: UserDelivery): ShownUserDelivery {
  const { id, destination, call, state, reason, attempts, createdAt, settledAt } = of
  return {
    id,
    destination,
    call,
    state: state === 'leased' ? 'pending' : state,
    reason,
    attempts,
    created_at: iso(createdAt),
    settled_at: settledAt === null ? null : iso(settledAt),
  }
}
