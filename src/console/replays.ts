import type { Replayed } from '../store/replay.ts'
import type { ReplayFilter } from '../store/replay-candidates.ts'
import type { ReplayRecord } from '../store/replays.ts'
import { json, refusal } from './answers.ts'
import { type Deliveries, type HowToReplay, noSuch } from './deliveries.ts'
import { CONDITION_NAMES, conditionsOf, flagOf, idOf, oneOf, unknownIn } from './query.ts'
import { iso } from './shown-delivery.ts'

const REPLAYABLE = ['dead', 'skipped'] as const
/** So many parts, each a commit, for one request: it is answered within a second or so, and asked again. */
const PARTS_AT_ONCE = 100
const MOST_RECORDS = 100
const LONGEST_NAME = 100

/** A replay as the API shows it. */
export interface ShownReplay {
  readonly replay: number
  readonly at: string
  readonly by: string
  readonly filter: Readonly<Record<string, unknown>>
  readonly resent: number
  readonly remapped: number
  /** Left as they are, since the configuration does not name their tenant. */
  readonly orphaned: number
  /** Null while it goes on, or when it was broken off. */
  readonly finished_at: string | null
}

/** What a replay would come to, as far as it was counted: while `more`, the same with this `place` goes on. */
export interface ShownCount {
  readonly dry_run: true
  readonly resent: number
  readonly remapped: number
  readonly orphaned: number
  readonly more: boolean
  readonly place: number
}

/** POST /api/deliveries/:id/replay?by=&remap=&dry_run= */
export function replayDelivery(deliveries: Deliveries, id: string, query: URLSearchParams): Response {
  const unknown = unknownIn(query, ['by', 'remap', 'dry_run'])
  if (unknown !== null) return refusal(400, unknown)
  const number = idOf(id)
  if (number === null) return noSuch(id)
  const how = howOf(query)
  if (how === null) return refusal(400, FLAGS)
  const replayed = how.dryRun ? deliveries.plan(number, how.remap) : deliveries.replay(number, how)
  return answerOne(id, number, replayed, how.dryRun)
}

function answerOne(id: string, number: number, replayed: Replayed, dryRun: boolean): Response {
  switch (replayed.kind) {
    case 'resent':
    case 'remapped':
      return json({ id: number, replayed: replayed.kind, ...(dryRun && { dry_run: true }) })
    case 'unknown':
      return noSuch(id)
    case 'orphaned':
      return refusal(409, `delivery ${id} is of ${replayed.tenant}, which is not in the configuration`)
    case 'suppressed':
      return refusal(409, `delivery ${id} is of somebody who was forgotten or is suppressed: it is not sent`)
    case 'refused': {
      const state = replayed.state === 'leased' ? 'pending' : replayed.state
      return refusal(409, `delivery ${id} is ${state}; only dead and skipped ones can be replayed`)
    }
  }
}

/**
 * POST /api/deliveries/replay?state=&…&by=&remap=: begins a replay of all that fit, and does a part of it, in order of
 * arrival. While `finished_at` is null, POST /api/deliveries/replay?replay= with its ID goes on. With `dry_run=true` it
 * only counts. A filter that is not known is refused: without it more would be replayed than was meant.
 */
export async function replayDeliveries(
  deliveries: Deliveries,
  query: URLSearchParams,
  isStopping: () => boolean,
): Promise<Response> {
  if (query.has('replay')) return goOn(deliveries, query, isStopping)
  const unknown = unknownIn(query, ['state', ...CONDITION_NAMES, 'by', 'remap', 'dry_run', 'place'])
  if (unknown !== null) return refusal(400, unknown)
  const state = oneOf(query, 'state', REPLAYABLE)
  if (!state) return refusal(400, `name a state: ${REPLAYABLE.join(' or ')}`)
  const conditions = conditionsOf(query, deliveries.now())
  if (typeof conditions === 'string') return refusal(400, conditions)
  const how = howOf(query)
  const place = idOf(query.get('place') ?? '0')
  if (how === null) return refusal(400, FLAGS)
  if (place === null || (query.has('place') && !how.dryRun)) {
    return refusal(400, 'place goes with dry_run, and is the one of the answer before')
  }
  const filter = { ...conditions, state }
  if (how.dryRun) return json(await count(deliveries, filter, place, how.remap, isStopping))
  return json(await replayParts(deliveries, deliveries.beginReplay(filter, how), isStopping))
}

async function goOn(deliveries: Deliveries, query: URLSearchParams, isStopping: () => boolean) {
  const unknown = unknownIn(query, ['replay'])
  if (unknown !== null) return refusal(400, 'a replay that goes on has its filter: give `replay` alone')
  const id = idOf(query.get('replay')!)
  const shown = id === null ? null : await replayParts(deliveries, id, isStopping)
  return shown === null ? refusal(404, 'there is no replay of that ID') : json(shown)
}

async function replayParts(
  deliveries: Deliveries,
  id: number,
  isStopping: () => boolean,
): Promise<ShownReplay | null> {
  for (let parts = 1; ; parts += 1) {
    const part = deliveries.continueReplay(id)
    if (part === null) return null
    if (part.record.finishedAt !== null || parts === PARTS_AT_ONCE || isStopping()) return shown(part.record)
    await deliveries.rest()
  }
}

async function count(
  deliveries: Deliveries,
  filter: ReplayFilter,
  start: number,
  remap: boolean,
  isStopping: () => boolean,
): Promise<ShownCount> {
  let [resent, remapped, orphaned, place] = [0, 0, 0, start]
  for (let parts = 1; ; parts += 1) {
    const part = deliveries.countPart(filter, place, remap)
    resent += part.resent
    remapped += part.remapped
    orphaned += part.orphaned
    place = part.place ?? place
    const more = part.place !== null
    if (!more || parts === PARTS_AT_ONCE || isStopping()) {
      return { dry_run: true, resent, remapped, orphaned, more, place }
    }
    await deliveries.rest()
  }
}

/** GET /api/replays: the newest, newest first. */
export function listReplays(deliveries: Deliveries): Response {
  return json(deliveries.replays(MOST_RECORDS).map(shown))
}

function shown({ id, at, by, filter, resent, remapped, orphaned, finishedAt }: ReplayRecord): ShownReplay {
  return {
    replay: id,
    at: iso(at),
    by,
    filter: JSON.parse(filter) as Record<string, unknown>,
    resent,
    remapped,
    orphaned,
    finished_at: finishedAt === null ? null : iso(finishedAt),
  }
}

const FLAGS = 'remap and dry_run are true or false'

function howOf(query: URLSearchParams): (HowToReplay & { readonly dryRun: boolean }) | null {
  const remap = flagOf(query, 'remap')
  const dryRun = flagOf(query, 'dry_run')
  if (remap === undefined || dryRun === undefined) return null
  return { by: (query.get('by') || 'admin').slice(0, LONGEST_NAME), remap, dryRun }
}
