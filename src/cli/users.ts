import type { ShownProfile, ShownResponse, ShownUser, ShownUserDelivery } from '../console/shown-user.ts'
import { displayed } from '../testing/displayed.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import type { Query } from './operator-client.ts'
import { type CommonOptions, fail, withDaemon } from './with-daemon.ts'

/** Lists the users that fit, the last to arrive first. */
export function listUsers(
  options: CommonOptions,
  filters: Query,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<ShownUser[]>('/api/users', filters)
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) context.print(JSON.stringify(answer.body, null, 2))
    else if (answer.body.length === 0) context.print('no users')
    else for (const user of answer.body) context.print(displayed(line(user)))
    const before = answer.headers.get('x-next-before')
    if (before !== null) context.printError(`there may be more: go on with --before ${before}`)
    return EXIT.ok
  })
}

/** Shows all that is known of a user. */
export function showUser(
  { id, tenant, ...options }: CommonOptions & { id: string; tenant: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<ShownProfile>('/api/user', { id, tenant })
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) context.print(JSON.stringify(answer.body, null, 2))
    else for (const text of describe(answer.body)) context.print(displayed(text))
    return EXIT.ok
  })
}

interface ShownConflict {
  readonly email: string
  readonly users: number
  readonly user_ids: readonly string[]
}

/** Lists the emails that belong to several user IDs of a tenant. */
export function listConflicts(
  options: CommonOptions,
  query: Query & { readonly limit: number | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<ShownConflict[]>('/api/conflicts', query)
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) {
      context.print(JSON.stringify(answer.body, null, 2))
      return EXIT.ok
    }
    if (answer.body.length === 0) context.print('no email belongs to several user IDs')
    for (const { email, users, user_ids } of answer.body) {
      context.print(displayed(`${email}  ${users} user IDs: ${named(user_ids, users)}`))
    }
    return EXIT.ok
  })
}

function named(ids: readonly string[], count: number): string {
  return ids.length < count ? `${ids.join(', ')} …` : ids.join(', ')
}

function line({ tenant, id, email, last_seen_at }: ShownUser): string {
  return `${tenant}  ${last_seen_at}  ${id}${email === null ? '' : `  ${email}`}`
}

function describe(user: ShownProfile): string[] {
  const { tenant, id, email, refiner_uuid, first_seen_at, last_seen_at, identifiers, more } = user
  const lines = [`${tenant}  ${id}`]
  if (email !== null) lines.push(`  email: ${email}`)
  if (refiner_uuid !== null) lines.push(`  contact at Refiner: ${refiner_uuid}`)
  lines.push(`  first seen: ${first_seen_at}`, `  last seen: ${last_seen_at}`)
  const emails = identifiers.emails.filter((one) => one !== email?.trim().toLowerCase())
  const uuids = identifiers.uuids.filter((one) => one !== refiner_uuid)
  if (emails.length > 0) lines.push(`  also known by: ${emails.join(', ')}`)
  if (uuids.length > 0) lines.push(`  other contacts at Refiner: ${uuids.join(', ')}`)
  for (const { kind, value, user_ids } of identifiers.shared) {
    lines.push(`  ! the ${kind} ${value} belongs to several user IDs: ${user_ids.join(', ')}`)
  }
  if (!identifiers.complete) lines.push('  ! more hangs together with this user than was followed')
  lines.push(...section('traits', Object.entries(user.traits as object).map(field)))
  const accounts = user.accounts.map((one) => `${one.id}  ${JSON.stringify(one.traits)}`)
  lines.push(...section('accounts', accounts))
  const events = user.events.map(({ name, count, first_at, last_at }) => {
    return count === 1 ? `${name}: once, ${last_at}` : `${name}: ${count} times, ${first_at} to ${last_at}`
  })
  lines.push(...section('events', events))
  const segments = user.segments.filter(({ member }) => member)
  lines.push(
    ...section(
      'segments',
      segments.map(({ name, since }) => `${name}, since ${since}`),
    ),
  )
  lines.push(...section('responses', user.responses.flatMap(response)))
  if (user.last_answered !== null) lines.push(`last answered: ${response(user.last_answered)[0]}`)
  lines.push(...section('pending', user.pending.map(delivery)))
  lines.push(...section('dead', user.dead.map(delivery)))
  if (more.length > 0) lines.push(`there are more ${more.join(', ')} than shown: \`export\` has all of it`)
  return lines
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((text) => `  ${text}`)]
}

function field([name, value]: [string, unknown]): string {
  return `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`
}

function response(of: ShownResponse): string[] {
  const { survey, uuid, completed_at, dismissed_at, last_data_reception_at, last_shown_at, answers } = of
  const name = survey.name ?? survey.uuid ?? 'a survey without a name'
  const [what, at] =
    completed_at !== null
      ? ['completed', completed_at]
      : dismissed_at !== null
        ? ['dismissed', dismissed_at]
        : last_data_reception_at !== null
          ? ['answered in part', last_data_reception_at]
          : ['seen', last_shown_at]
  const before = of.user_id === null ? ', before the contact was identified' : ''
  const head = `${name}: ${what}${at === null ? '' : ` ${at}`}${before}, response ${uuid}`
  return [head, ...Object.entries(answers).map((answer) => `  ${field(answer)}`)]
}

function delivery({ id, destination, call, reason, attempts, created_at }: ShownUserDelivery): string {
  const tries = attempts === 0 ? '' : `, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  return `${id}  ${created_at}  ${call} to ${destination}${tries}${reason === null ? '' : `: ${reason}`}`
}
