import type { SegmentChange } from '../contracts/segments.ts'
import type { Expression } from '../rules/expression.ts'
import { membershipsOf } from '../rules/segment-conditions.ts'
import { insertInboxItem } from '../store/inbox.ts'
import type { Store } from '../store/open.ts'
import { membershipsOfUser, setMember } from '../store/segment-members.ts'
import type { Retold, SegmentRow } from '../store/segments.ts'
import { findUserFacts } from '../store/user-facts.ts'

/** A segment with its condition, ready to be evaluated. */
export interface KeptSegment {
  readonly row: SegmentRow
  readonly condition: Expression
}

/** What is to be written of one user and one segment. */
export interface Finding {
  readonly segment: SegmentRow
  readonly userId: string
  /** When the user was first seen: whoever was forgotten and is back is not told of under the IDs of before. */
  readonly userSince: number
  readonly member: boolean
  /** How often the user entered or left, this time included. */
  readonly changes: number
  /** False where the user stays in it and is told of anew. */
  readonly isNew: boolean
  readonly told: Told
}

type Told = Pick<SegmentChange, 'refinerSegment' | 'trait' | 'event'>

/** What looking at a user came to; nothing of it is written yet. */
export interface Looked {
  readonly findings: readonly Finding[]
  /** Why conditions failed, by the segments' IDs: the last reason of each. */
  readonly failures: ReadonlyMap<number, string>
}

/**
 * Evaluates segments for a user of their tenant, by what is kept of it at this moment. Of each user it is a few reads,
 * however many users there are. To be called in the same turn of the event loop as what writes its findings.
 */
export function lookAtUser(
  store: Store,
  segments: readonly KeptSegment[],
  { tenant, userId, retells }: { tenant: string; userId: string; retells: boolean },
): Looked {
  const findings: Finding[] = []
  const failures = new Map<number, string>()
  const facts = segments.length === 0 ? null : findUserFacts(store, tenant, userId)
  // Who was forgotten in the meantime has gone with all memberships.
  if (facts === null) return { findings, failures }
  const known = new Map(membershipsOfUser(store, { tenant, userId }).map((row) => [row.segmentId, row]))
  const conditions = segments.map(({ condition }) => condition)
  for (const [index, { member, failure }] of membershipsOf(conditions, facts).entries()) {
    const segment = segments[index]!.row
    if (failure !== null) failures.set(segment.id, failure)
    const before = known.get(segment.id)
    const changes = before?.changes ?? 0
    const of = { segment, userId, userSince: facts.firstSeenAt, member }
    if ((before?.member === 1) !== member) {
      findings.push({ ...of, changes: changes + 1, isNew: true, told: toldOf(segment, member) })
    } else if (member && retells) {
      const told = toldAnew(segment)
      if (isToldOf(told)) findings.push({ ...of, changes, isNew: false, told })
    }
  }
  return { findings, failures }
}

function toldOf({ refinerSegment, trait, enteredEvent, leftEvent }: SegmentRow, entered: boolean): Told {
  return { refinerSegment, trait, event: entered ? enteredEvent : leftEvent }
}

function toldAnew({ refinerSegment, trait, retell }: SegmentRow): Told {
  const { refiner: isRefiner, trait: isTrait } = JSON.parse(retell) as Retold
  return { refinerSegment: isRefiner ? refinerSegment : null, trait: isTrait ? trait : null, event: null }
}

/** Whether anybody is told of it. */
export function isToldOf({ refinerSegment, trait, event }: Told): boolean {
  return refinerSegment !== null || trait !== null || event !== null
}

/**
 * Writes findings, and puts what is to be told into the inbox, from where it goes out like everything else: each with IDs
 * that are the same however often it is found. To be called within a transaction.
 */
export function writeFindings(store: Store, findings: readonly Finding[], now: number): void {
  for (const finding of findings) {
    const { segment, userId, member, changes, isNew, told } = finding
    const { id: segmentId, tenant, name } = segment
    if (isNew) setMember(store, { segmentId, tenant, userId, member: member ? 1 : 0, changes, now })
    if (!isToldOf(told)) continue
    const key = keyOf(finding)
    const change: SegmentChange = {
      type: 'segment_change',
      key,
      userId,
      segment: name,
      entered: member,
      at: new Date(now).toISOString(),
      ...told,
    }
    const payload = JSON.stringify(change)
    const dedupKey = `segment-change-${key}`
    insertInboxItem(store, { tenant, source: 'segment', dedupKey, payload, receivedAt: now })
  }
}

/** The same for the same change of the same user and the same segment in the same database. */
function keyOf({ segment, userId, userSince, changes, isNew }: Finding): string {
  const { id, tenant, createdAt, revision } = segment
  const told = isNew ? 'changed' : revision
  const of = JSON.stringify([tenant, id, createdAt, userId, userSince, changes, told])
  return Bun.SHA256.hash(of, 'hex').slice(0, 32)
}
