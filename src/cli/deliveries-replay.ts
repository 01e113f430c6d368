import type { ShownCount, ShownReplay } from '../console/replays.ts'
import { displayed } from '../testing/displayed.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import type { OperatorClient, Query } from './operator-client.ts'
import { Progress } from './progress.ts'
import { whoAsks } from './who-asks.ts'
import { type CommonOptions, fail, withDaemon } from './with-daemon.ts'

export interface ReplayCommandOptions extends CommonOptions {
  readonly dryRun: boolean
  readonly remap: boolean
}

/** Replays the deliveries of these IDs. */
export function replayById(
  { dryRun, remap, ...options }: ReplayCommandOptions,
  ids: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const results: { id: string; replayed: keyof typeof REPLAYED | null; error: string | null }[] = []
    const query = { by: whoAsks(), remap: String(remap), dry_run: String(dryRun) }
    for (const id of ids) {
      const path = `/api/deliveries/${encodeURIComponent(id)}/replay`
      const answer = await client.post<{ replayed: keyof typeof REPLAYED }>(path, query)
      const result = answer.ok
        ? { id, replayed: answer.body.replayed, error: null }
        : { id, replayed: null, error: answer.refused }
      results.push(result)
      if (options.json) continue
      if (result.replayed === null) context.printError(`${id}: ${result.error}`)
      else context.print(`${id}: ${dryRun ? 'would be ' : ''}${REPLAYED[result.replayed]}`)
    }
    if (options.json) {
      context.print(JSON.stringify({ ...(dryRun && { dry_run: true }), deliveries: results }, null, 2))
    }
    return results.every(({ error }) => error === null) ? EXIT.ok : EXIT.failure
  })
}

/** Replays all dead or skipped deliveries that fit, in order of arrival, and says how many; or only counts them. */
export function replayMatching(
  { dryRun, remap, ...options }: ReplayCommandOptions,
  filters: Query,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const query = { ...filters, remap: String(remap) }
    if (!dryRun && options.json) return run(client, { ...query, by: whoAsks() }, options, context, null)
    const counted = await countAll(client, query)
    if (typeof counted === 'string') return fail(counted, options, context)
    if (dryRun) return tellCount(counted, options, context)
    const total = counted.resent + counted.remapped + counted.orphaned
    return run(client, { ...query, by: whoAsks() }, options, context, total)
  })
}

/** Goes on with a replay that was broken off. */
export function continueReplay(
  options: CommonOptions,
  replay: number,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, (client) => run(client, { replay }, options, context, null))
}

/** Lists the newest replays: who, what, when, and what came of it. */
export function listReplays(options: CommonOptions, context: CommandContext): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<ShownReplay[]>('/api/replays')
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) context.print(JSON.stringify(answer.body, null, 2))
    else if (answer.body.length === 0) context.print('nothing was replayed')
    else for (const replay of answer.body) context.print(displayed(recordLine(replay)))
    return EXIT.ok
  })
}

type Counts = Pick<ShownCount, 'resent' | 'remapped' | 'orphaned'>

async function countAll(client: OperatorClient, query: Query): Promise<Counts | string> {
  const counts = { resent: 0, remapped: 0, orphaned: 0 }
  for (let place = 0; ;) {
    const answer = await client.post<ShownCount>('/api/deliveries/replay', {
      ...query,
      dry_run: 'true',
      place,
    })
    if (!answer.ok) return answer.refused
    counts.resent += answer.body.resent
    counts.remapped += answer.body.remapped
    counts.orphaned += answer.body.orphaned
    if (!answer.body.more) return counts
    place = answer.body.place
  }
}

function tellCount(counts: Counts, options: CommonOptions, context: CommandContext): ExitCode {
  const { resent, remapped, orphaned } = counts
  const replayed = resent + remapped
  if (options.json) {
    context.print(JSON.stringify({ dry_run: true, replayed, resent, remapped, orphaned }, null, 2))
    return EXIT.ok
  }
  context.print(`${replayed} would be replayed: ${resent} sent again, ${remapped} mapped again`)
  if (orphaned > 0) context.print(ORPHANED(orphaned))
  return EXIT.ok
}

/** Asks until all is replayed. What is done stays done when it is broken off, and the daemon knows how far it came. */
async function run(
  client: OperatorClient,
  first: Query,
  options: CommonOptions,
  context: CommandContext,
  total: number | null,
): Promise<ExitCode> {
  const progress = options.json ? null : new Progress(context, total)
  let query = first
  let isStopped = false
  void context.stopped.then(() => (isStopped = true))
  for (;;) {
    const answer = await client.post<ShownReplay>('/api/deliveries/replay', query)
    if (!answer.ok) {
      progress?.end()
      const { replay } = query as { replay?: number }
      return fail(`${answer.refused}${replay === undefined ? '' : howToGoOn(replay)}`, options, context)
    }
    const { replay, resent, remapped, orphaned, finished_at } = answer.body
    if (finished_at !== null) {
      progress?.end()
      return tellReplayed(answer.body, options, context)
    }
    progress?.at(resent + remapped + orphaned)
    if (isStopped) {
      progress?.end()
      return fail(`broken off after ${resent + remapped}${howToGoOn(replay)}`, options, context)
    }
    query = { replay }
  }
}

function howToGoOn(replay: number): string {
  return `; go on with: deliveries replay --continue ${replay}`
}

function tellReplayed(
  { replay, resent, remapped, orphaned }: ShownReplay,
  options: CommonOptions,
  context: CommandContext,
): ExitCode {
  const replayed = resent + remapped
  if (options.json) {
    context.print(JSON.stringify({ replay, replayed, resent, remapped, orphaned }, null, 2))
    return EXIT.ok
  }
  context.print(
    `${replayed} replayed: ${resent} to be sent again, ${remapped} to be mapped again (replay ${replay})`,
  )
  if (orphaned > 0) context.print(ORPHANED(orphaned))
  return EXIT.ok
}

const REPLAYED = { resent: 'to be sent again', remapped: 'to be mapped again' } as const
const ORPHANED = (count: number) => `${count} left: the configuration does not name their tenants`

function recordLine({ replay, at, by, filter, resent, remapped, orphaned, finished_at }: ShownReplay) {
  const what = Object.entries(filter).map(([name, value]) => `${name}=${String(value)}`)
  const left = orphaned === 0 ? '' : `, ${orphaned} left`
  const end = finished_at === null ? ', not finished' : ''
  return `${String(replay).padStart(4)}  ${at}  ${by}  ${what.join(' ')}: ${resent} resent, ${remapped} mapped again${left}${end}`
}
