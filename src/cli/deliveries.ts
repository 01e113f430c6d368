import type { ShownDelivery, ShownDetails } from '../console/deliveries.ts'
import { displayed } from '../testing/displayed.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { createOperatorClient, type OperatorClient, type OperatorClientOptions } from './operator-client.ts'

interface CommonOptions extends OperatorClientOptions {
  readonly json: boolean
}

export interface DeliveryFilterOptions {
  readonly state?: string
  readonly tenant?: string
  readonly destination?: string
}

/** Lists the newest deliveries that fit. */
export function listDeliveries(
  {
    state,
    tenant,
    destination,
    limit,
    ...options
  }: CommonOptions & DeliveryFilterOptions & { limit?: number },
  context: CommandContext,
): Promise<ExitCode> {
  return withClient(options, context, async (client) => {
    const query = { state, tenant, destination, limit }
    const answer = await client.get<ShownDelivery[]>('/api/deliveries', query)
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) context.print(JSON.stringify(answer.body, null, 2))
    else if (answer.body.length === 0) context.print('no deliveries')
    else for (const delivery of answer.body) context.print(displayed(line(delivery)))
    return EXIT.ok
  })
}

/** Shows all of one delivery: what it says, what it was made of, and how it fared. */
export function showDelivery(
  { id, ...options }: CommonOptions & { id: string },
  context: CommandContext,
): Promise<ExitCode> {
  return withClient(options, context, async (client) => {
    const answer = await client.get<ShownDetails>(`/api/deliveries/${encodeURIComponent(id)}`)
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) context.print(JSON.stringify(answer.body, null, 2))
    else for (const text of describe(answer.body)) context.print(displayed(text))
    return EXIT.ok
  })
}

/** Replays the deliveries of these IDs. */
export function replayById(
  { ids, ...options }: CommonOptions & { ids: readonly string[] },
  context: CommandContext,
): Promise<ExitCode> {
  return withClient(options, context, async (client) => {
    const results: { id: string; replayed: keyof typeof REPLAYED | null; error: string | null }[] = []
    for (const id of ids) {
      const path = `/api/deliveries/${encodeURIComponent(id)}/replay`
      const answer = await client.post<{ replayed: keyof typeof REPLAYED }>(path)
      const result = answer.ok
        ? { id, replayed: answer.body.replayed, error: null }
        : { id, replayed: null, error: answer.refused }
      results.push(result)
      if (options.json) continue
      if (result.replayed === null) context.printError(`${id}: ${result.error}`)
      else context.print(`${id}: ${REPLAYED[result.replayed]}`)
    }
    if (options.json) context.print(JSON.stringify({ deliveries: results }, null, 2))
    return results.every(({ error }) => error === null) ? EXIT.ok : EXIT.failure
  })
}

/** What one call of the API replayed of those that fit. */
interface Part {
  readonly resent: number
  readonly remapped: number
  /** Left as they are, since the configuration does not name their tenant. */
  readonly orphaned: number
  readonly more: boolean
  readonly after: number
  readonly until: number
}

/** Replays all dead or skipped deliveries that fit, in order of arrival, and says how many. */
export function replayMatching(
  {
    state,
    tenant,
    destination,
    reason,
    ...options
  }: CommonOptions & DeliveryFilterOptions & { state: string; reason: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  return withClient(options, context, async (client) => {
    let resent = 0
    let remapped = 0
    let orphaned = 0
    let place: { after?: number; until?: number } = {}
    for (;;) {
      const query = { state, tenant, destination, reason, ...place }
      const answer = await client.post<Part>('/api/deliveries/replay', query)
      if (!answer.ok)
        return fail(`${answer.refused} (replayed before: ${resent + remapped})`, options, context)
      resent += answer.body.resent
      remapped += answer.body.remapped
      orphaned += answer.body.orphaned
      if (!answer.body.more) break
      place = { after: answer.body.after, until: answer.body.until }
    }
    const replayed = resent + remapped
    if (options.json) {
      context.print(JSON.stringify({ replayed, resent, remapped, orphaned }, null, 2))
      return EXIT.ok
    }
    context.print(`${replayed} replayed: ${resent} to be sent again, ${remapped} to be mapped again`)
    if (orphaned > 0) context.print(`${orphaned} left: the configuration does not name their tenants`)
    return EXIT.ok
  })
}

const REPLAYED = { resent: 'to be sent again', remapped: 'to be mapped again' } as const

function withClient(
  options: CommonOptions,
  context: CommandContext,
  work: (client: OperatorClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const client = createOperatorClient(options, context)
  return typeof client === 'string' ? Promise.resolve(fail(client, options, context)) : work(client)
}

function fail(why: string, { json }: { readonly json: boolean }, context: CommandContext): ExitCode {
  if (json) context.print(JSON.stringify({ error: why }, null, 2))
  else context.printError(why)
  return EXIT.failure
}

function line(delivery: ShownDelivery): string {
  const { id, tenant, destination, call, state, attempts, created_at, reason, notes } = delivery
  const tries = attempts === 0 ? '' : `, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  const why = [reason, notes].filter((text) => text !== null).join('; ')
  const head = `${String(id).padStart(6)}  ${created_at}  ${state.padEnd(9)}  ${tenant} → ${destination}  ${call}${tries}`
  return why === '' ? head : `${head}: ${why}`
}

function describe(delivery: ShownDetails): string[] {
  const { detail, answer, settled_at, not_before, message_id, message, input } = delivery
  const lines = [line(delivery)]
  const fields = { detail, answer, settled_at, not_before, message_id }
  for (const [name, value] of Object.entries(fields)) if (value !== null) lines.push(`  ${name}: ${value}`)
  lines.push(`message: ${JSON.stringify(message, null, 2)}`)
  const replays = input.replays === 0 ? '' : `, mapped anew ${input.replays} times`
  lines.push(`input ${input.id}, ${input.source}, received ${input.received_at}${replays}:`)
  lines.push(JSON.stringify(input.body, null, 2))
  return lines
}
