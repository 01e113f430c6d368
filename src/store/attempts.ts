import { sql } from 'kysely'
import type { Outcome } from '../contracts/delivery.ts'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'
import { redactAnswer } from './redact.ts'

type Failed = Exclude<Outcome, { kind: 'delivered' }>

/** Of so many attempts in a row that came to the same the moments are kept one by one. */
const MOST_MOMENTS = 100

/**
 * Writes down an attempt that failed; to be called in the transaction that settles it. What was delivered at its first
 * attempt has no row here, and what the program stopped before it was sent was no attempt.
 */
export function recordAttempt(store: Store, deliveryId: number, outcome: Failed, now: number): void {
  const { kind: result, reason, status, answer } = outcome
  if (status === null && result !== 'retry') return
  const said = { status, result, reason, answer: redacted(answer) }
  const last = lastAttempt(store, { deliveryId })[0]
  if (last !== undefined && isSame(last, said)) {
    again(store, { deliveryId, number: last.number, now })
  } else {
    const number = last === undefined ? 1 : last.number + last.times
    insert(store, { deliveryId, number, now, ...said })
  }
}

/** A whole batch is refused with one answer. */
let latest: { readonly answer: string; readonly kept: string } = { answer: '', kept: '' }

function redacted(answer: string | null): string | null {
  if (answer === null) return null
  if (answer !== latest.answer) latest = { answer, kept: redactAnswer(answer) }
  return latest.kept
}

function isSame(last: KeptAttempts, said: Pick<KeptAttempts, 'status' | 'result' | 'reason' | 'answer'>) {
  return (
    last.status === said.status &&
    last.result === said.result &&
    last.reason === said.reason &&
    last.answer === said.answer
  )
}

interface KeptAttempts {
  readonly number: number
  readonly times: number
  readonly moments: string
  readonly lastAt: number
  readonly status: number | null
  readonly result: Failed['kind']
  readonly reason: string
  readonly answer: string | null
}

/** An attempt at a delivery that failed. */
export interface FailedAttempt extends Pick<KeptAttempts, 'status' | 'result' | 'reason' | 'answer'> {
  /** From 1. */
  readonly number: number
  /** In ms since 1970; null for one of very many that came to the same, of which only the first and the last are known. */
  readonly at: number | null
}

/** The attempts at a delivery that failed, the oldest first. */
export function failedAttempts(store: Store, deliveryId: number): FailedAttempt[] {
  return allAttempts(store, { deliveryId }).flatMap(({ number, times, moments, lastAt, ...said }) => {
    const known = moments.split(',').map(Number)
    return Array.from({ length: times }, (_, index) => {
      const at = index === times - 1 ? lastAt : (known[index] ?? null)
      return { number: number + index, at, ...said }
    })
  })
}

const COLUMNS = [
  'number',
  'times',
  'moments',
  'last_at as lastAt',
  'status',
  'result',
  'reason',
  'answer',
] as const

const allAttempts = rows<{ deliveryId: number }, KeptAttempts>((db, { deliveryId }) =>
  db.selectFrom('attempts').select(COLUMNS).where('delivery_id', '=', deliveryId).orderBy('number'),
)

const lastAttempt = rows<{ deliveryId: number }, KeptAttempts>((db, { deliveryId }) =>
  db
    .selectFrom('attempts')
    .select(COLUMNS)
    .where('delivery_id', '=', deliveryId)
    .orderBy('number', 'desc')
    .limit(sql<number>`1`),
)

const insert = change<{
  deliveryId: number
  number: number
  now: number
  status: number | null
  result: Failed['kind']
  reason: string
  answer: string | null
}>((db, { deliveryId, number, now, status, result, reason, answer }) =>
  db.insertInto('attempts').values({
    delivery_id: deliveryId,
    number,
    times: 1,
    moments: sql`cast(${now} as text)`,
    last_at: now,
    status,
    result,
    reason,
    answer,
  }),
)

const again = change<{ deliveryId: number; number: number; now: number }>((db, { deliveryId, number, now }) =>
  db
    .updateTable('attempts')
    .set({
      moments: sql`iif(times < ${sql.lit(MOST_MOMENTS)}, moments || ',' || ${now}, moments)`,
      times: sql`times + 1`,
      last_at: now,
    })
    .where('delivery_id', '=', deliveryId)
    .where('number', '=', number),
)
