import type { BackfillHealth, DestinationHealth, Health, PollingHealth } from '../contracts/health.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { daemonUrl } from './daemon-url.ts'
import { whyNoAnswer } from './why-no-answer.ts'

const TIMEOUT_MS = 5000

/** Asks a running daemon how it fares; fails when it cannot accept anything or does not answer. */
export async function status(
  options: { config: string; url: string | undefined; json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const url = options.url ?? daemonUrl(options.config, context)
  const health = await readHealth(url)
  if (typeof health === 'string') {
    if (options.json) context.print(JSON.stringify({ status: 'unreachable', error: health }, null, 2))
    else context.printError(`no daemon answers at ${url}: ${health}; start one with \`refiner-sync serve\``)
    return EXIT.failure
  }
  if (options.json) context.print(JSON.stringify(health, null, 2))
  else for (const line of describe(health, url)) context.print(line)
  return health.status === 'down' ? EXIT.failure : EXIT.ok
}

/** The health, or why there is none. */
async function readHealth(url: string): Promise<Health | string> {
  try {
    const response = await fetch(new URL('/health', url), {
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const body = (await response.json()) as Partial<Health> | null
    if (body?.status === undefined || body.tenants === undefined)
      return 'what answers there is no refiner-sync'
    return body as Health
  } catch (error) {
    return whyNoAnswer(error)
  }
}

function describe(health: Health, url: string): string[] {
  const lines = [
    `${health.status}  refiner-sync ${health.version} at ${url}, up for ${health.uptime_seconds} s`,
  ]
  for (const problem of health.problems) lines.push(`  ! ${problem}`)
  for (const [name, tenant] of Object.entries(health.tenants)) {
    const oldest = tenant.oldest_pending_age_seconds
    const since = oldest === null ? '' : `, the oldest for ${oldest} s`
    lines.push(`${name}${tenant.enabled ? '' : ' (switched off)'}: ${tenant.pending} pending${since}`)
    for (const [destination, lane] of Object.entries(tenant.destinations)) {
      lines.push(`  to ${destination.padEnd(7)}  ${describeLane(lane)}`)
    }
    if (tenant.polling) lines.push(`  polling     ${describePolling(tenant.polling)}`)
    // An older daemon does not speak of them.
    for (const [segment, { members, complete }] of Object.entries(tenant.segments ?? {})) {
      lines.push(`  segment     ${segment}: ${members} users${complete ? '' : ', still being counted'}`)
    }
    if (tenant.backfill) lines.push(`  backfill    ${describeBackfill(tenant.backfill)}`)
  }
  // An older daemon does not speak of them.
  for (const [name, { pending, dead }] of Object.entries(health.orphaned ?? {})) {
    lines.push(`${name} (no longer in the configuration): ${pending} pending, ${dead} dead`)
  }
  return lines
}

function describePolling({ last_success, last_error, missed_by_webhook }: PollingHealth): string {
  const parts = [`last ${last_success ?? 'none so far'}`, `${missed_by_webhook} that no webhook brought`]
  if (last_error !== null) parts.push(`last error ${last_error.at}: ${last_error.message}`)
  return parts.join(', ')
}

function describeBackfill({
  id,
  state,
  waiting_for,
  reason,
  remaining,
  responses,
  messages,
}: BackfillHealth): string {
  const left = remaining === null || state === 'done' ? '' : `, about ${remaining} to be read`
  const parts = [
    `${id} ${state}${reason === null ? '' : `: ${reason}`}`,
    `${responses.read} responses read${left}`,
    `${messages.made} messages`,
  ]
  if (waiting_for !== null) parts.push(`waits for ${waiting_for}`)
  return parts.join(', ')
}

function describeLane({
  state,
  pending,
  dead,
  last_success,
  last_error,
  skipped,
}: DestinationHealth): string {
  const parts = [
    state,
    `${pending} pending`,
    `${dead} dead`,
    `last success ${last_success ?? 'none since the start'}`,
  ]
  if (last_error !== null) {
    const isOver = last_success !== null && last_success > last_error.at
    parts.push(`last error ${last_error.at}${isOver ? ', over' : ''}: ${last_error.message}`)
  }
  // An older daemon does not speak of them.
  if (skipped?.last) {
    parts.push(`${skipped.last_day} not sent within a day, on purpose; the last: ${skipped.last.reason}`)
  }
  return parts.join(', ')
}
