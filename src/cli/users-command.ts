import { type Command, Option } from 'commander'
import type { CommandContext, ExitCode } from './context.ts'
import { count, withCommon } from './delivery-options.ts'
import { exportPerson } from './export-person.ts'
import { listConflicts, listUsers, showUser } from './users.ts'

interface Common {
  readonly url?: string
  readonly json: boolean
}

interface ListOptions extends Common {
  readonly tenant?: string
  readonly email?: string
  readonly trait?: string
  readonly account?: string
  readonly search?: string
  readonly before?: number
  readonly limit?: number
}

interface ExportOptions {
  readonly url?: string
  readonly tenant?: string
  readonly user?: string
  readonly email?: string
  readonly uuid?: string
}

/** Adds `users list|show|conflicts` and `export` to the program. */
export function addUsers(
  program: Command,
  config: () => string,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const users = program
    .command('users')
    .description('list and show the people that the running daemon knows')
    .addHelpText('after', EXAMPLES)
  const common = ({ url, json }: Common) => ({ config: config(), url, json })

  withCommon(users.command('list').description('list users, the last to arrive first'))
    .option('--tenant <name>', 'of this tenant')
    .option('--email <address>', 'who have or had this email')
    .option('--trait <name=value>', 'with this trait, such as plan=pro or address.city=Paris')
    .option('--account <id>', 'who belong to this account')
    .option('--search <text>', 'with this text in their ID or email')
    .addOption(new Option('--before <number>', 'who arrived before this one').argParser(count))
    .addOption(new Option('--limit <count>', 'at most this many (500)').argParser(count))
    .action(async (options: ListOptions) => {
      const { tenant, email, trait, account, search, before, limit } = options
      const filters = { tenant, email, trait, account, search, before, limit }
      finish(await listUsers(common(options), filters, context))
    })

  withCommon(
    users.command('show').argument('<id>').description('show all that is known of the user of that ID'),
  )
    .option('--tenant <name>', 'of this tenant; needed where several have a user of that ID')
    .action(async (id: string, options: Common & { tenant?: string }) => {
      finish(await showUser({ ...common(options), id, tenant: options.tenant }, context))
    })

  withCommon(users.command('conflicts').description('list emails that belong to several user IDs'))
    .option('--tenant <name>', 'of this tenant; needed where there are several')
    .option('--after <email>', 'behind this one in the alphabet')
    .addOption(new Option('--limit <count>', 'at most this many (100)').argParser(count))
    .action(async (options: Common & { tenant?: string; after?: string; limit?: number }) => {
      const { tenant, after, limit } = options
      finish(await listConflicts(common(options), { tenant, after, limit }, context))
    })

  program
    .command('export')
    .description('print all that is kept about a person, as JSON')
    .option('--tenant <name>', 'of this tenant; needed where there are several')
    .option('--user <id>', 'the user of this ID')
    .option('--email <address>', 'or who has this email')
    .option('--uuid <uuid>', "or Refiner's contact of this uuid")
    .option('--url <url>', 'where the daemon listens (default: as the configuration says)')
    .addHelpText('after', '\nExample:\n  refiner-sync export --tenant acme --user user-1042 > user-1042.json')
    .action(async ({ url, tenant, user, email, uuid }: ExportOptions, command: Command) => {
      if ([user, email, uuid].filter((one) => one !== undefined).length !== 1) {
        command.error('error: name the person by one of --user, --email and --uuid', { exitCode: 2 })
      }
      const whom = { id: user, email, uuid, tenant }
      finish(await exportPerson({ config: config(), url, json: false }, whom, context))
    })
}

const EXAMPLES = `
The admin token is that of the variable REFINER_SYNC_ADMIN_TOKEN, or of the configuration.

Examples:
  refiner-sync users list --tenant acme --trait plan=pro --limit 20
  refiner-sync users list --email ada@example.com
  refiner-sync users show user-1042 --tenant acme
  refiner-sync users conflicts --tenant acme`
