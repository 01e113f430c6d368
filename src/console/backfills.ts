import type {
  BackfillAnswer,
  BackfillCounts,
  BackfillCursor,
  BackfillFilter,
  BackfillMode,
  BackfillPreview,
  BackfillState,
  BackfillStatus,
  BackfillWish,
  PreviewAnswer,
} from '../contracts/backfill.ts'
import { json, refusal } from './answers.ts'
import { momentOf } from './moment.ts'
import { flagOf, idOf, oneOf } from './query.ts'
import { iso } from './shown-delivery.ts'

/** The backfills, as far as the operator's API needs them. */
export interface OperatedBackfills {
  /** In ms since 1970. */
  now(): number
  begin(wish: BackfillWish): BackfillAnswer
  find(id: number): BackfillStatus | null
  /** The newest, newest first. */
  list(limit: number): readonly BackfillStatus[]
  pause(id: number): Promise<BackfillAnswer>
  resume(id: number): BackfillAnswer
  /** What a part of one would come to, from `cursor` on; changes nothing. */
  preview(wish: BackfillWish, cursor: BackfillCursor | null): Promise<PreviewAnswer>
}

/** A backfill as the API shows it. */
export interface ShownBackfill {
  readonly backfill: number
  readonly tenant: string
  readonly at: string
  readonly by: string
  readonly mode: BackfillMode
  readonly since: string | null
  readonly until: string
  readonly surveys: readonly string[]
  readonly contacts: boolean
  readonly rate: number | null
  readonly state: BackfillState
  /** Why it failed. */
  readonly reason: string | null
  readonly waiting_for: string | null
  /** How many responses Refiner says there are; null before it has said so. */
  readonly total: number | null
  /** Up to where all responses have been taken; null while it is at the contacts. */
  readonly at_moment: string | null
  readonly counts: ShownCounts
  readonly updated_at: string
  readonly finished_at: string | null
}

export type ShownCounts = Omit<BackfillCounts, 'contactsKept' | 'leftOut'> & {
  readonly contacts_kept: number
  readonly left_out: number
}

/** A part of a dry run; while `cursor` is there, the same with it goes on. */
export type ShownPreview = Omit<BackfillPreview, 'leftOut' | 'cursor'> & {
  readonly dry_run: true
  readonly left_out: number
  readonly cursor: string | null
}

const MOST_RECORDS = 100
const MOST_SURVEYS = 100
const LONGEST_NAME = 100
const NAMES = ['tenant', 'since', 'until', 'survey', 'contacts', 'rate', 'mode', 'by']

/** GET /api/backfills: the newest, newest first. */
export function listBackfills(backfills: OperatedBackfills): Response {
  return json(backfills.list(MOST_RECORDS).map(shown))
}

/** GET /api/backfills/:id */
export function showBackfill(backfills: OperatedBackfills, id: string): Response {
  const number = idOf(id)
  const status = number === null ? null : backfills.find(number)
  return status === null ? noSuch(id) : json(shown(status))
}

/**
 * POST /api/backfills?tenant=&since=&until=&survey=&…&contacts=&rate=&mode=&by=: begins one; `survey` may be given more
 * than once.
 */
export function beginBackfill(backfills: OperatedBackfills, query: URLSearchParams): Response {
  const wish = wishOf(query, NAMES, backfills.now())
  return typeof wish === 'string' ? refusal(400, wish) : answer(backfills.begin(wish))
}

/** POST /api/backfills/dry-run: the same parameters, and `cursor` of the answer before. */
export async function previewBackfill(
  backfills: OperatedBackfills,
  query: URLSearchParams,
): Promise<Response> {
  const wish = wishOf(query, [...NAMES, 'cursor'], backfills.now())
  if (typeof wish === 'string') return refusal(400, wish)
  const cursor = query.has('cursor') ? cursorOf(query.get('cursor')!) : null
  if (cursor === undefined) return refusal(400, 'cursor is the one of the answer before')
  const previewed = await backfills.preview(wish, cursor)
  if (!previewed.ok) return refusal(409, previewed.why)
  const { leftOut, cursor: next, ...rest } = previewed.preview
  const preview: ShownPreview = {
    dry_run: true,
    ...rest,
    left_out: leftOut,
    cursor: next === null ? null : JSON.stringify(next),
  }
  return json(preview)
}

/** POST /api/backfills/:id/pause */
export async function pauseBackfill(backfills: OperatedBackfills, id: string): Promise<Response> {
  const number = idOf(id)
  return number === null ? noSuch(id) : answer(await backfills.pause(number))
}

/** POST /api/backfills/:id/resume */
export function resumeBackfill(backfills: OperatedBackfills, id: string): Response {
  const number = idOf(id)
  return number === null ? noSuch(id) : answer(backfills.resume(number))
}

function answer(answered: BackfillAnswer): Response {
  if (answered.ok) return json(shown(answered.status))
  return refusal(answered.kind === 'unknown' ? 404 : 409, answered.why)
}

function noSuch(id: string): Response {
  return refusal(404, `there is no backfill ${id.slice(0, LONGEST_NAME)}`)
}

/** What is asked for, or what is wrong with it. */
function wishOf(query: URLSearchParams, names: readonly string[], now: number): BackfillWish | string {
  const given = [...query.keys()].filter((name) => name !== 'survey')
  if (!given.every((name, index) => names.includes(name) && given.indexOf(name) === index)) {
    return `each parameter is one of ${names.join(', ')}, and given once; only survey may be given more often`
  }
  const tenant = query.get('tenant')
  if (!tenant) return 'name a tenant'
  const mode = oneOf(query, 'mode', ['to-segment', 'store-only'] as const)
  if (mode === undefined) return 'mode is to-segment or store-only'
  const filter = filterOf(query, now)
  if (typeof filter === 'string') return filter
  return {
    tenant,
    by: (query.get('by') || 'admin').slice(0, LONGEST_NAME),
    filter,
    mode: mode ?? 'to-segment',
  }
}

function filterOf(query: URLSearchParams, now: number): BackfillFilter | string {
  const contacts = flagOf(query, 'contacts')
  if (contacts === undefined) return 'contacts is true or false'
  const [since, until] = [query.get('since'), query.get('until')]
  const from = since === null ? null : momentOf(since, now)
  const to = until === null ? now : momentOf(until, now)
  if ((since !== null && from === null) || to === null) {
    return 'since and until are moments such as 2023-01-31 or 2023-01-31T08:00:00Z, or how long ago, such as 90d'
  }
  if (from === null && !contacts) return 'say since when, or ask for contacts'
  if (from === null && until !== null) return 'until goes with since'
  if (from !== null && from >= to) return 'since has to be before until, and before now'
  const rate = query.get('rate')
  if (rate !== null && !(Number(rate) > 0 && /^\d{1,6}(\.\d{1,3})?$/.test(rate))) {
    return 'rate is a number of messages a second, over 0'
  }
  const surveys = query.getAll('survey').filter((survey) => survey !== '')
  if (surveys.length > MOST_SURVEYS) return `name ${MOST_SURVEYS} surveys at most, or use * in a name`
  return {
    since: from,
    // Nothing is to be expected of the time to come.
    until: Math.min(to, now),
    surveys,
    contacts,
    rate: rate === null ? null : Number(rate),
  }
}

function cursorOf(text: string): BackfillCursor | undefined {
  try {
    const { phase, from, days, page, place } = JSON.parse(text) as Record<string, unknown>
    if (phase !== 'responses' || !isCount(from) || !isCount(days) || !isCount(place)) return undefined
    if (days < 1 || days > 1000 || (page !== null && typeof page !== 'string')) return undefined
    return { phase, from, days, page, place }
  } catch {
    return undefined
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function shown({ record, waitingFor }: BackfillStatus): ShownBackfill {
  const { id, tenant, at, by, mode, filter, state, reason, total, cursor, counts } = record
  const { contactsKept, leftOut, ...rest } = counts
  return {
    backfill: id,
    tenant,
    at: iso(at),
    by,
    mode,
    since: filter.since === null ? null : iso(filter.since),
    until: iso(filter.until),
    surveys: filter.surveys,
    contacts: filter.contacts,
    rate: filter.rate,
    state,
    reason,
    waiting_for: waitingFor,
    total,
    at_moment: cursor.phase === 'contacts' ? null : iso(cursor.from),
    counts: { ...rest, contacts_kept: contactsKept, left_out: leftOut },
    updated_at: iso(record.updatedAt),
    finished_at: record.finishedAt === null ? null : iso(record.finishedAt),
  }
}
