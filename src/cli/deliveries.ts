import type { ShownAttempt, ShownDelivery, ShownDetails } from '../console/shown-delivery.ts'
import { displayed } from '../testing/displayed.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import type { Query } from './operator-client.ts'
import { type CommonOptions, fail, withDaemon } from './with-daemon.ts'

/** Lists the newest deliveries that fit. */
export function listDeliveries(
  options: CommonOptions,
  filters: Query,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<ShownDelivery[]>('/api/deliveries', filters)
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) {
      context.print(JSON.stringify(answer.body, null, 2))
      return EXIT.ok
    }
    if (answer.body.length === 0) context.print('no deliveries')
    for (const delivery of answer.body) context.print(displayed(line(delivery)))
    const before = answer.headers.get('x-next-before')
    if (before !== null) context.printError(`there may be more: go on with --before ${before}`)
    return EXIT.ok
  })
}

/** Shows all of one delivery: what it says, what it was made of, and how it fared. */
export function showDelivery(
  { id, ...options }: CommonOptions & { id: string },
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<ShownDetails>(`/api/deliveries/${encodeURIComponent(id)}`)
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) context.print(JSON.stringify(answer.body, null, 2))
    else for (const text of describe(answer.body)) context.print(displayed(text))
    return EXIT.ok
  })
}

function line(delivery: ShownDelivery): string {
  const { id, tenant, destination, call, state, attempts, created_at, reason, notes } = delivery
  const tries = attempts === 0 ? '' : `, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  const why = [reason, notes].filter((text) => text !== null).join('; ')
  const head = `${String(id).padStart(6)}  ${created_at}  ${state.padEnd(9)}  ${tenant} → ${destination}  ${call}${tries}`
  return why === '' ? head : `${head}: ${why}`
}

function describe(delivery: ShownDetails): string[] {
  const { detail, answer, settled_at, not_before, message_id, message, input, tries, replays } = delivery
  const lines = [line(delivery)]
  const fields = { detail, answer, settled_at, not_before, message_id }
  for (const [name, value] of Object.entries(fields)) if (value !== null) lines.push(`  ${name}: ${value}`)
  if (tries.length > 0) lines.push('attempts:', ...tries.map(attemptLine))
  for (const { replay, at, by, how, reason, delivery: of } of replays) {
    const which = of === delivery.id ? '' : ` because of delivery ${of}`
    lines.push(`replay ${replay}: ${how}${which} at ${at} by ${by}, after: ${reason}`)
  }
  lines.push(`message: ${JSON.stringify(message, null, 2)}`)
  const anew = input.replays === 0 ? '' : `, mapped anew ${input.replays} times`
  lines.push(`input ${input.id}, ${input.source}, received ${input.received_at}${anew}:`)
  lines.push(JSON.stringify(input.body, null, 2))
  return lines
}

function attemptLine({ number, at, status, result, reason, answer }: ShownAttempt): string {
  const code = status ?? (result === 'delivered' ? '2xx' : 'no answer')
  const why = reason === null ? '' : `: ${reason}`
  const said = answer === null || answer === '' ? '' : `; it said: ${answer}`
  return `  ${String(number).padStart(4)}  ${at ?? '(between)'}  ${code}  ${result}${why}${said}`
}
