import { sql } from 'kysely'
import type { SegmentDefinition } from '../contracts/segments.ts'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'

/** A segment as it is kept. */
export interface SegmentRow extends SegmentDefinition {
  readonly id: number
  readonly tenant: string
  readonly revision: number
  readonly members: number
  /** Everybody up to this user ID has been looked at; null once all have been. */
  readonly scannedUntil: string | null
  /** JSON of a `Retold`. */
  readonly retell: string
  /** In ms since 1970. */
  readonly createdAt: number
}

/** What members who stay are told of anew, because it is new that it is told. */
export interface Retold {
  readonly refiner: boolean
  readonly trait: boolean
}

const COLUMNS = [
  'id',
  'tenant',
  'name',
  'condition',
  'refiner_segment as refinerSegment',
  'trait',
  'entered_event as enteredEvent',
  'left_event as leftEvent',
  'revision',
  'members',
  'scanned_until as scannedUntil',
  'retell',
  'created_at as createdAt',
] as const

/** Those that are not retired, by their names. */
export const segmentsOf = rows<{ tenant: string }, SegmentRow>((db, { tenant }) =>
  db
    .selectFrom('segments')
    .select(COLUMNS)
    .where('tenant', '=', tenant)
    .where('retired_at', 'is', null)
    .orderBy('name'),
)

const segmentById = rows<{ id: number }, SegmentRow>((db, { id }) =>
  db.selectFrom('segments').select(COLUMNS).where('id', '=', id),
)

/** Null when it was removed. */
export function findSegment(store: Store, id: number): SegmentRow | null {
  return segmentById(store, { id })[0] ?? null
}

/**
 * Makes the segments of a tenant those of the configuration. One that is new, or has another condition, is looked at for
 * everybody; one that is gone loses its members bit by bit, and nobody is told of that. To be called within a transaction.
 */
export function adoptSegments(
  store: Store,
  tenant: string,
  definitions: readonly SegmentDefinition[],
  now: number,
): void {
  const kept = new Map(segmentsOf(store, { tenant }).map((row) => [row.name, row]))
  if (kept.size === 0 && definitions.length === 0) return
  for (const definition of definitions) {
    const row = kept.get(definition.name)
    kept.delete(definition.name)
    if (row === undefined) insertSegment(store, { ...definition, tenant, now })
    else adopt(store, row, definition)
  }
  for (const { id } of kept.values()) retire(store, { id, now })
  if (definitions.length > 0) return
  // Nobody would ever look at them.
  dropChangedUsers(store, { tenant })
  dropChangedAccounts(store, { tenant })
}

/**
 * What comes of tenants that are not in the configuration is not looked at: once they are back, everybody is. To be called
 * within a transaction.
 */
export function setAside(store: Store, present: ReadonlySet<string>): void {
  for (const { tenant } of tenantsWithSegments(store, {})) {
    if (present.has(tenant)) continue
    dropChangedUsers(store, { tenant })
    dropChangedAccounts(store, { tenant })
    scanAnew(store, { tenant })
  }
}

const tenantsWithSegments = rows<{}, { tenant: string }>((db) =>
  db.selectFrom('segments').select('tenant').distinct().where('retired_at', 'is', null),
)

const scanAnew = change<{ tenant: string }>((db, { tenant }) =>
  db
    .updateTable('segments')
    .set({ scanned_until: '' })
    .where('tenant', '=', tenant)
    .where('retired_at', 'is', null),
)

function adopt(store: Store, row: SegmentRow, definition: SegmentDefinition): void {
  const before = JSON.parse(row.retell) as Retold
  const isNews = (told: 'refinerSegment' | 'trait') =>
    definition[told] !== null && definition[told] !== row[told]
  const retell = {
    refiner: definition.refinerSegment !== null && (isNews('refinerSegment') || before.refiner),
    trait: definition.trait !== null && (isNews('trait') || before.trait),
  }
  const isScanned = definition.condition !== row.condition || isNews('refinerSegment') || isNews('trait')
  const isSame =
    !isScanned &&
    definition.refinerSegment === row.refinerSegment &&
    definition.trait === row.trait &&
    definition.enteredEvent === row.enteredEvent &&
    definition.leftEvent === row.leftEvent
  if (isSame) return
  updateSegment(store, {
    ...definition,
    id: row.id,
    scannedUntil: isScanned ? '' : row.scannedUntil,
    retell: JSON.stringify(retell),
  })
}

type Definition = { readonly [Name in keyof SegmentDefinition]: SegmentDefinition[Name] }

const insertSegment = change<Definition & { tenant: string; now: number }>((db, of) =>
  db.insertInto('segments').values({
    tenant: of.tenant,
    name: of.name,
    condition: of.condition,
    refiner_segment: of.refinerSegment,
    trait: of.trait,
    entered_event: of.enteredEvent,
    left_event: of.leftEvent,
    revision: 1,
    members: 0,
    scanned_until: '',
    retell: '{"refiner":false,"trait":false}',
    created_at: of.now,
    retired_at: null,
  }),
)

const updateSegment = change<Definition & { id: number; scannedUntil: string | null; retell: string }>(
  (db, of) =>
    db
      .updateTable('segments')
      .set({
        condition: of.condition,
        refiner_segment: of.refinerSegment,
        trait: of.trait,
        entered_event: of.enteredEvent,
        left_event: of.leftEvent,
        revision: sql`revision + 1`,
        scanned_until: of.scannedUntil,
        retell: of.retell,
      })
      .where('id', '=', of.id),
)

const retire = change<{ id: number; now: number }>((db, { id, now }) =>
  db.updateTable('segments').set({ retired_at: now }).where('id', '=', id),
)

const dropChangedUsers = change<{ tenant: string }>((db, { tenant }) =>
  db.deleteFrom('segment_users_changed').where('tenant', '=', tenant),
)

const dropChangedAccounts = change<{ tenant: string }>((db, { tenant }) =>
  db.deleteFrom('segment_accounts_changed').where('tenant', '=', tenant),
)

/** Notes how far looking at everybody has come; null: it is done, and nobody is left to be told anew. */
export function noteScanned(store: Store, id: number, until: string | null): void {
  if (until === null) endScan(store, { id })
  else moveScan(store, { id, until })
}

const moveScan = change<{ id: number; until: string }>((db, { id, until }) =>
  db.updateTable('segments').set({ scanned_until: until }).where('id', '=', id),
)

const endScan = change<{ id: number }>((db, { id }) =>
  db
    .updateTable('segments')
    .set({ scanned_until: null, retell: '{"refiner":false,"trait":false}' })
    .where('id', '=', id),
)

/** The users of a tenant behind that one, by their IDs. */
export const usersAfter = rows<{ tenant: string; after: string; limit: number }, { userId: string }>(
  (db, { tenant, after, limit }) =>
    db
      .selectFrom('users')
      .select('user_id as userId')
      .where('tenant', '=', tenant)
      .where('user_id', '>', after)
      .orderBy('user_id')
      .limit(limit),
)

/** A segment that the configuration no longer has and of which something is left; null without one. */
export function retiredSegment(store: Store): number | null {
  return anyRetired(store, {})[0]?.id ?? null
}

/** Removes some of its members, and it with the last of them. */
export function removeRetired(store: Store, id: number, limit: number): void {
  if (removeMembers(store, { id, limit }) < limit) removeSegment(store, { id })
}

const anyRetired = rows<{}, { id: number }>((db) =>
  db
    .selectFrom('segments')
    .select('id')
    .where('retired_at', 'is not', null)
    .orderBy('id')
    .limit(sql<number>`1`),
)

const removeMembers = change<{ id: number; limit: number }>((db, { id, limit }) =>
  db
    .deleteFrom('segment_members')
    .where('segment_id', '=', id)
    .where('user_id', 'in', (eb) =>
      eb
        .selectFrom('segment_members as some')
        .select('some.user_id')
        .where('some.segment_id', '=', id)
        .limit(limit),
    ),
)

const removeSegment = change<{ id: number }>((db, { id }) => db.deleteFrom('segments').where('id', '=', id))
