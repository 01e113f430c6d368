import type { ShownBackfill } from '../console/backfills.ts'
import { displayed } from '../testing/displayed.ts'
import { BackfillLines } from './backfill-lines.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import type { OperatorClient, Query } from './operator-client.ts'
import { type CommonOptions, fail, withDaemon } from './with-daemon.ts'
import { whoAsks } from './who-asks.ts'

/** What is to be brought over, as it was given. */
export interface BackfillOptions {
  readonly tenant: string
  readonly since: string | undefined
  readonly until: string | undefined
  readonly surveys: readonly string[]
  readonly contacts: boolean
  readonly rate: number | undefined
  readonly mode: 'to-segment' | 'store-only'
}

/** How often it looks how far it is. */
const LOOK_MS = 500
/** Where no terminal shows a bar, a line tells so often. */
const TELL_MS = { json: 2000, text: 10_000 }
/** A daemon that does not answer may be restarting. */
const PATIENCE_MS = 60_000

/** The parameters of the API for it. */
export function queryOf({ tenant, since, until, surveys, contacts, rate, mode }: BackfillOptions): Query {
  return { tenant, since, until, survey: surveys, contacts: String(contacts), rate, mode, by: whoAsks() }
}

/** Begins a backfill and watches it. */
export function beginBackfill(
  options: CommonOptions,
  wish: BackfillOptions,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const begun = await client.post<ShownBackfill>('/api/backfills', queryOf(wish))
    if (!begun.ok) return fail(begun.refused, options, context)
    return watch(client, begun.body, options, context)
  })
}

/** Goes on with the tenant's last backfill that is not done, and watches it. */
export function resumeBackfill(
  options: CommonOptions,
  tenant: string,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const last = await lastOf(client, tenant)
    if (typeof last === 'string') return fail(last, options, context)
    if (last.state === 'done') {
      return fail(`backfill ${last.backfill} of ${tenant} is done; start another one`, options, context)
    }
    const resumed = await client.post<ShownBackfill>(`/api/backfills/${last.backfill}/resume`)
    if (!resumed.ok) return fail(resumed.refused, options, context)
    return watch(client, resumed.body, options, context)
  })
}

/** Lets the tenant's backfill wait. */
export function pauseBackfill(
  options: CommonOptions,
  tenant: string,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const last = await lastOf(client, tenant)
    if (typeof last === 'string') return fail(last, options, context)
    const paused = await client.post<ShownBackfill>(`/api/backfills/${last.backfill}/pause`)
    if (!paused.ok) return fail(paused.refused, options, context)
    return tellEnd(paused.body, options, context)
  })
}

/** Lists the newest backfills, newest first. */
export function listBackfills(
  options: CommonOptions,
  tenant: string | null,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<ShownBackfill[]>('/api/backfills')
    if (!answer.ok) return fail(answer.refused, options, context)
    const shown = answer.body.filter((one) => tenant === null || one.tenant === tenant)
    if (options.json) context.print(JSON.stringify(shown, null, 2))
    else if (shown.length === 0) context.print('there was no backfill')
    else for (const one of shown) context.print(displayed(new BackfillLines().record(one)))
    return EXIT.ok
  })
}

async function lastOf(client: OperatorClient, tenant: string): Promise<ShownBackfill | string> {
  const answer = await client.get<ShownBackfill[]>('/api/backfills')
  if (!answer.ok) return answer.refused
  const all = answer.body.filter((one) => one.tenant === tenant)
  const open = all.find(({ state }) => state === 'running') ?? all.find(({ state }) => state !== 'done')
  return open ?? all[0] ?? `there was no backfill of ${tenant}`
}

/** Follows a backfill to its end, or until the command is stopped. */
async function watch(
  client: OperatorClient,
  first: ShownBackfill,
  options: CommonOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const lines = new BackfillLines()
  let shown = first
  let answeredAt = performance.now()
  let toldAt = -Infinity
  let isStopped = false
  const stopped = context.stopped.then(() => (isStopped = true))
  const path = `/api/backfills/${first.backfill}`
  while (shown.state === 'running') {
    const now = performance.now()
    const line = lines.at(shown, now)
    if (!options.json && context.showProgress !== undefined) context.showProgress(displayed(line))
    else if (now - toldAt >= (options.json ? TELL_MS.json : TELL_MS.text)) {
      toldAt = now
      if (options.json) context.print(JSON.stringify(shown))
      else context.printError(displayed(line))
    }
    await Promise.race([Bun.sleep(LOOK_MS), stopped])
    if (isStopped) {
      context.showProgress?.('')
      context.printError(goesOn(shown))
      return EXIT.ok
    }
    const answer = await client.get<ShownBackfill>(path)
    if (answer.ok) {
      shown = answer.body
      answeredAt = performance.now()
    } else if (performance.now() - answeredAt > PATIENCE_MS) {
      context.showProgress?.('')
      return fail(answer.refused, options, context)
    }
  }
  context.showProgress?.('')
  return tellEnd(shown, options, context)
}

function goesOn({ backfill, tenant }: ShownBackfill): string {
  return `backfill ${backfill} goes on in the daemon; to watch it: backfill --tenant ${tenant} --resume; to let it wait: --pause`
}

function tellEnd(shown: ShownBackfill, options: CommonOptions, context: CommandContext): ExitCode {
  if (options.json) context.print(JSON.stringify(shown))
  else for (const line of new BackfillLines().end(shown)) context.print(displayed(line))
  return shown.state === 'failed' ? EXIT.failure : EXIT.ok
}
