import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CommandContext, ExitCode } from './context.ts'
import {
  type DeliveryFilterOptions,
  listDeliveries,
  replayById,
  replayMatching,
  showDelivery,
} from './deliveries.ts'

interface Common {
  readonly url?: string
  readonly json: boolean
}

/** Adds `deliveries list|show|replay` to the program. */
export function addDeliveries(
  program: Command,
  config: () => string,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const deliveries = program
    .command('deliveries')
    .description('list, show and replay deliveries of the running daemon')
    .addHelpText('after', EXAMPLES)
  const common = <O extends Common>({ url, ...options }: O) => ({ ...options, config: config(), url })

  withCommon(deliveries.command('list').description('list the newest deliveries'))
    .addOption(new Option('--state <state>', 'in this state').choices(STATES))
    .option('--tenant <name>', 'of this tenant')
    .addOption(new Option('--destination <name>', 'to this destination').choices(DESTINATIONS))
    .addOption(new Option('--limit <count>', 'at most this many (500)').argParser(count))
    .action(async (options: Common & DeliveryFilterOptions & { limit?: number }) => {
      finish(await listDeliveries(common(options), context))
    })

  withCommon(deliveries.command('show').argument('<id>').description('show all of a delivery'))
    // What people said goes to the screen.
    .action(async (id: string, options: Common) => {
      finish(await showDelivery({ ...common(options), id }, context))
    })

  withCommon(
    deliveries
      .command('replay')
      .argument('[ids...]')
      .description('make dead or skipped deliveries happen again'),
  )
    .addOption(
      new Option('--state <state>', 'instead of IDs: all in this state').choices(['dead', 'skipped']),
    )
    .option('--tenant <name>', 'of this tenant')
    .addOption(new Option('--destination <name>', 'to this destination').choices(DESTINATIONS))
    .option('--reason <text>', 'with this text in their reason')
    .action(
      async (
        ids: string[],
        options: Common & DeliveryFilterOptions & { reason?: string },
        command: Command,
      ) => {
        const { state, ...rest } = common(options)
        const { tenant, destination, reason } = options
        const filters = [state, tenant, destination, reason].some((filter) => filter !== undefined)
        if (ids.length > 0 && filters) command.error('error: give IDs or filters, not both', { exitCode: 2 })
        if (ids.length > 0) return finish(await replayById({ ...rest, ids }, context))
        if (state === undefined) {
          command.error('error: name the deliveries by their IDs, or with --state dead', { exitCode: 2 })
        }
        finish(await replayMatching({ ...rest, state, reason }, context))
      },
    )
}

const STATES = ['pending', 'leased', 'delivered', 'dead', 'skipped'] as const
const DESTINATIONS = ['segment', 'refiner'] as const

function withCommon(command: Command): Command {
  return command
    .option('--url <url>', 'where the daemon listens (default: as the configuration says)')
    .addOption(new Option('--json', 'print JSON, for a program to read').default(false))
}

function count(value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  throw new InvalidArgumentError('give a number from 1')
}

const EXAMPLES = `
The admin token is that of the variable REFINER_SYNC_ADMIN_TOKEN, or of the configuration.

Examples:
  refiner-sync deliveries list --state dead --tenant acme
  refiner-sync deliveries show 1042
  refiner-sync deliveries replay 1042 1043
  refiner-sync deliveries replay --state dead --tenant acme --reason "mapping it failed"`
