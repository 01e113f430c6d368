import { parseExact } from '../json/parse-exact.ts'
import type { Whom } from '../store/identities.ts'
import {
  type DeliveryRow,
  type ExportedDelivery,
  type ExportedItem,
  type ExportPart,
  type Place,
  type Section,
  SECTIONS,
} from '../store/person-export.ts'
import type { FailedAttempt } from '../store/attempts.ts'
import { json, refusal } from './answers.ts'
import { type People, tenantFor } from './people.ts'
import { unknownIn } from './query.ts'
import { iso } from './shown-delivery.ts'
import { account, event, response, sharedIdentity, segment } from './shown-user.ts'

/** Where an export goes on. */
interface Mark {
  readonly section: Section
  readonly place: Place | null
}

/** One answer is begun for so long, and holds about so much. */
const ANSWER_MS = 5000
const ANSWER_CHARACTERS = 4 * 1024 * 1024

/**
 * GET /api/users/:id/export?tenant=&next= and GET /api/user/export?id=|email=|uuid=&tenant=&next=: all that is kept about
 * a person. What is much comes in several answers: while one has `next`, the same with it goes on, and only the first
 * has the head.
 */
export async function exportUser(
  people: People,
  id: string | null,
  query: URLSearchParams,
  isStopping: () => boolean,
): Promise<Response> {
  const unknown = unknownIn(query, [...(id === null ? ['id', 'email', 'uuid'] : []), 'tenant', 'next'])
  if (unknown !== null) return refusal(400, unknown)
  const whom = whomOf(id, query)
  if (whom === null) return refusal(400, 'name the person by one of id, email, uuid')
  const tenant = tenantFor(people, 'userId' in whom ? whom.userId : null, query.get('tenant'))
  if (tenant instanceof Response) return tenant
  const given = query.get('next')
  let mark = given === null ? FIRST : markOf(given)
  if (mark === null) return refusal(400, 'next is that of the answer before')
  const person = people.person(tenant, whom)
  const { userIds, shared } = person.identifiers
  if ('email' in whom && userIds.length === 0 && shared.length > 0) {
    const among = shared.flatMap((one) => one.userIds).join(', ')
    return refusal(409, `that email belongs to several users: export each by its ID: ${among}`)
  }
  const answer: Record<string, unknown> = given === null ? head(people, tenant, person) : {}
  const until = people.elapsed() + ANSWER_MS
  for (let left = ANSWER_CHARACTERS; mark !== null && left > 0 && people.elapsed() < until;) {
    if (isStopping()) return refusal(503, 'refiner-sync is stopping')
    const part = people.exportPart(person, mark.section, mark.place)
    const rows = shownRows(part)
    if (rows.length > 0) {
      const list = (answer[part.section] ??= []) as unknown[]
      list.push(...rows)
      left -= JSON.stringify(rows).length
    }
    mark = part.place === null ? after(mark.section) : { section: mark.section, place: part.place }
    await people.rest()
  }
  return json({ ...answer, next: mark === null ? null : written(mark) })
}

function whomOf(id: string | null, query: URLSearchParams): Whom | null {
  if (id !== null) return { userId: id }
  const [userId, email, uuid] = [query.get('id'), query.get('email'), query.get('uuid')]
  if ([userId, email, uuid].filter((one) => one !== null).length !== 1) return null
  if (userId !== null) return { userId }
  return email === null ? { uuid: uuid! } : { email }
}

function head(people: People, tenant: string, person: ReturnType<People['person']>) {
  const { identifiers } = person
  const { user, identities } = people.exportHead(person)
  return {
    tenant,
    user_id: identifiers.userIds[0] ?? null,
    emails: identifiers.emails,
    uuids: identifiers.uuids,
    shared: identifiers.shared.map(sharedIdentity),
    identifiers_complete: identifiers.complete,
    profile: user && {
      email: user.email,
      refiner_uuid: user.refinerUuid,
      traits: parseExact(user.traits),
      first_seen_at: iso(user.firstSeenAt),
      last_seen_at: iso(user.lastSeenAt),
    },
    identities: identities.map(({ kind, value, userId, contactUuid, firstSeenAt }) => {
      return { kind, value, user_id: userId, contact_uuid: contactUuid, first_seen_at: iso(firstSeenAt) }
    }),
    ...Object.fromEntries(SECTIONS.map((section) => [section, []])),
  }
}

const FIRST: Mark = { section: SECTIONS[0], place: null }

function after(section: Section): Mark | null {
  const next = SECTIONS[SECTIONS.indexOf(section) + 1]
  return next === undefined ? null : { section: next, place: null }
}

function written({ section, place }: Mark): string {
  return Buffer.from(JSON.stringify([section, place])).toString('base64url')
}

function markOf(text: string): Mark | null {
  try {
    const [name, place] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown[]
    const section = SECTIONS.find((one) => one === name)
    if (section === undefined) return null
    const isNumber = typeof place === 'number' && Number.isSafeInteger(place)
    return place === null || isNumber || typeof place === 'string' ? { section, place: place as Place } : null
  } catch {
    return null
  }
}

function shownRows(part: ExportPart): unknown[] {
  switch (part.section) {
    case 'accounts':
      return part.rows.map(account)
    case 'events':
      return part.rows.map(event)
    case 'segments':
      return part.rows.map(segment)
    case 'responses':
      return part.rows.map(response)
    case 'items':
      return part.rows.map(item)
    case 'deliveries':
      return part.rows.map((row) => ({ ...delivery(row), replays: replays(row.replayedBy) }))
    case 'replays':
      return part.rows.map(({ id, at, by, filter }) => ({
        replay: id,
        at: iso(at),
        by,
        filter: parseExact(filter),
      }))
  }
}

function item(of: ExportedItem) {
  return {
    id: of.id,
    source: of.source,
    origin: of.origin,
    received_at: iso(of.receivedAt),
    state: of.state,
    dedup_key: of.dedupKey,
    copies: of.copies,
    mapped_anew: of.replays,
    body: parseExact(of.payload),
    ...(of.response !== null && { response: response(of.response) }),
    deliveries: of.deliveries.map(delivery),
    replays: replays(of.replayedBy),
  }
}

/** All that is kept of a delivery but how it is scheduled. */
function delivery({ row, failedAttempts }: { row: DeliveryRow; failedAttempts: readonly FailedAttempt[] }) {
  const { id, inbox_id, destination, call, user_key, message_id, state, reason, detail, notes } = row
  return {
    id,
    item: inbox_id,
    destination,
    call,
    user_key,
    message_id,
    state,
    reason,
    detail,
    notes,
    answer: row.answer,
    message: row.payload === null ? null : parseExact(row.payload),
    attempts: row.attempts,
    failed_attempts: failedAttempts.map(({ at, ...attempt }) => {
      return { ...attempt, at: at === null ? null : iso(at) }
    }),
    created_at: iso(row.created_at),
    settled_at: row.settled_at === null ? null : iso(row.settled_at),
  }
}

function replays(replayedBy: ExportedDelivery['replayedBy']) {
  return replayedBy.map(({ deliveryId, at, ...replay }) => ({ ...replay, delivery: deliveryId, at: iso(at) }))
}
