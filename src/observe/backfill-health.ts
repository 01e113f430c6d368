import type { BackfillStatus } from '../contracts/backfill.ts'
import type { BackfillHealth } from '../contracts/health.ts'

/** For how long a backfill that failed is a problem: whoever asked for it has been told. */
const FAILURE_IS_NEWS_MS = 24 * 3_600_000

/** How a backfill fares, in the form of /health. */
export function backfillHealth({ record, waitingFor }: BackfillStatus): BackfillHealth {
  const { id, state, at, updatedAt, reason, total, counts } = record
  const { read, taken, known, leftOut, forgotten, messages, copies, skipped, dead } = counts
  const left = total === null ? null : Math.max(0, total - read)
  return {
    id,
    state,
    begun: new Date(at).toISOString(),
    updated: new Date(updatedAt).toISOString(),
    waiting_for: waitingFor,
    reason,
    total,
    remaining: state === 'done' ? 0 : left,
    responses: { read, taken, known, left_out: leftOut, forgotten },
    messages: { made: messages, made_before: copies, skipped, dead },
  }
}

/** What is wrong with it, in words. */
export function backfillProblems(name: string, { record }: BackfillStatus, now: number): string[] {
  const { id, state, reason, updatedAt } = record
  if (state !== 'failed' || now - updatedAt >= FAILURE_IS_NEWS_MS) return []
  return [
    `${name}: backfill ${id} failed: ${reason}; to go on: \`refiner-sync backfill --tenant ${name} --resume\``,
  ]
}
