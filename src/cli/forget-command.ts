import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { type Command, Option } from 'commander'
import type { ShownReceipt } from '../console/privacy.ts'
import { displayed } from '../testing/displayed.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { count, withCommon } from './delivery-options.ts'
import type { Query } from './operator-client.ts'
import { type CommonOptions, fail, withDaemon } from './with-daemon.ts'

interface Common {
  readonly url?: string
  readonly json: boolean
}

interface WhomOptions extends Common {
  readonly tenant?: string
  readonly user?: string
  readonly email?: string
  readonly uuid?: string
  readonly forgotten?: boolean
}

/** Adds `forget`, `suppress`, `unsuppress` and `receipts list|show` to the program. */
export function addForget(
  program: Command,
  config: () => string,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const common = ({ url, json }: Common) => ({ config: config(), url, json })
  const about = (name: string, description: string, path: string) =>
    withCommon(program.command(name).description(description))
      .option('--tenant <name>', 'of this tenant; needed where there are several')
      .option('--user <id>', 'the user of this ID')
      .option('--email <address>', 'or who has this email')
      .option('--uuid <uuid>', "or Refiner's contact of this uuid")
      .action(async (options: WhomOptions, command: Command) => {
        const { tenant, user, email, uuid, forgotten } = options
        if ([user, email, uuid].filter((one) => one !== undefined).length !== 1) {
          command.error('error: name the person by one of --user, --email and --uuid', { exitCode: 2 })
        }
        const whom = { tenant, user, email, uuid, by: whoAsks(), ...(forgotten && { forgotten: 'true' }) }
        finish(await ask(common(options), path, whom, context))
      })

  about(
    'forget',
    'remove all that is kept of a person, and let nothing bring it back',
    '/api/users/forget',
  ).addHelpText('after', FORGET_EXAMPLES)
  about('suppress', 'keep nothing more of a person from now on', '/api/users/suppress')
  about('unsuppress', 'take again what comes of a person who is suppressed', '/api/users/unsuppress').option(
    '--forgotten',
    'also of one who was forgotten, and is back as a customer',
  )

  const receipts = program
    .command('receipts')
    .description('list and show who was forgotten when, without names')
  withCommon(receipts.command('list').description('list receipts, newest first'))
    .addOption(new Option('--before <receipt>', 'older than this one').argParser(count))
    .addOption(new Option('--limit <count>', 'at most this many (500)').argParser(count))
    .action(async (options: Common & { before?: number; limit?: number }) => {
      const { before, limit } = options
      finish(await list(common(options), { before, limit }, context))
    })
  withCommon(receipts.command('show').argument('<id>').description('show a receipt')).action(
    async (id: string, options: Common) => finish(await show(common(options), id, context)),
  )
}

/** Forgetting can take longer than an answer: then the same is asked again. */
function ask(options: CommonOptions, path: string, whom: Query, context: CommandContext): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const query = path.endsWith('/forget') ? { ...whom, request: randomUUID() } : whom
    for (;;) {
      const answer = await client.post<ShownReceipt | { waiting: true }>(path, query)
      if (!answer.ok) return fail(answer.refused, options, context)
      if ('waiting' in answer.body) continue
      print(answer.body, options, context)
      return EXIT.ok
    }
  })
}

function list(options: CommonOptions, query: Query, context: CommandContext): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<ShownReceipt[]>('/api/receipts', query)
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) context.print(JSON.stringify(answer.body, null, 2))
    else if (answer.body.length === 0) context.print('nobody was forgotten or suppressed')
    else for (const one of answer.body) context.print(displayed(line(one)))
    return EXIT.ok
  })
}

function show(options: CommonOptions, id: string, context: CommandContext): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<ShownReceipt>(`/api/receipts/${encodeURIComponent(id)}`)
    if (!answer.ok) return fail(answer.refused, options, context)
    print(answer.body, options, context)
    return EXIT.ok
  })
}

function print(receipt: ShownReceipt, { json }: CommonOptions, context: CommandContext): void {
  if (json) {
    context.print(JSON.stringify(receipt, null, 2))
    return
  }
  context.print(displayed(line(receipt)))
  const removed = Object.entries(receipt.removed).filter(([, rows]) => rows > 0)
  if (receipt.what === 'forget') {
    const rows = removed.map(([name, count]) => `${count} ${name}`).join(', ')
    context.print(`  removed: ${rows === '' ? 'nothing was kept' : rows}`)
    context.print(`  overwritten: ${receipt.overwritten_at ?? 'under way'}`)
    context.print(`  Refiner: ${refiner(receipt)}`)
  }
  if (!receipt.complete) context.print('  not all identifiers were followed: do it again by the others')
}

const WHAT = { forget: 'forgotten', suppress: 'suppressed', lift: 'taken again' } as const

function line({ receipt, tenant, what, by, done_at, refiner: { state } }: ShownReceipt): string {
  const told = state === 'not asked' ? '' : `; at Refiner: ${state}`
  return `receipt ${receipt}  ${done_at}  ${tenant}: ${WHAT[what]}, by ${by}${told}`
}

function refiner({ refiner: { state, at, status } }: ShownReceipt): string {
  const answered = at === null ? '' : ` (${at}${status === null ? '' : `, it answered ${status}`})`
  switch (state) {
    case 'not asked':
      return 'not asked to delete (to_refiner.delete)'
    case 'waits':
      return `is to delete the contact${answered}: see receipts show`
    case 'deleted':
      return `deleted the contact${answered}`
    case 'failed':
      return `did not delete the contact${answered}: delete it there by hand`
  }
}

function whoAsks(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return 'cli'
  }
}

const FORGET_EXAMPLES = `
The admin token is that of the variable REFINER_SYNC_ADMIN_TOKEN, or of the configuration.

Examples:
  refiner-sync forget --tenant acme --user user-1042
  refiner-sync forget --tenant acme --email ada@example.com --json
  refiner-sync receipts list
  refiner-sync unsuppress --tenant acme --user user-1042`
