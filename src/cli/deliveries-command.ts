import { type Command, Option } from 'commander'
import type { CommandContext, ExitCode } from './context.ts'
import { listDeliveries, showDelivery } from './deliveries.ts'
import { continueReplay, listReplays, replayById, replayMatching } from './deliveries-replay.ts'
import {
  count,
  type DeliveryFilterOptions,
  filtersOf,
  STATES,
  withCommon,
  withFilters,
} from './delivery-options.ts'
import { addTap } from './tap.ts'

interface Common {
  readonly url?: string
  readonly json: boolean
}

type Filters = DeliveryFilterOptions & { readonly reason?: string }

type ReplayOptions = Common &
  Filters & { readonly dryRun: boolean; readonly remap: boolean; readonly continue?: number }

/** Adds `tap` and `deliveries list|show|replay|replays` to the program. */
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
  const common = ({ url, json }: Common) => ({ config: config(), url, json })

  withFilters(withCommon(deliveries.command('list').description('list the newest deliveries')))
    .addOption(new Option('--state <state>', 'in this state').choices(STATES))
    .addOption(new Option('--before <id>', 'older than this one').argParser(count))
    .addOption(new Option('--limit <count>', 'at most this many (500)').argParser(count))
    .action(async (options: Common & Filters & { limit?: number; before?: number }) => {
      const { limit, before } = options
      finish(await listDeliveries(common(options), { ...filtersOf(options), limit, before }, context))
    })

  withCommon(deliveries.command('show').argument('<id>').description('show all of a delivery'))
    // What people said goes to the screen.
    .action(async (id: string, options: Common) => {
      finish(await showDelivery({ ...common(options), id }, context))
    })

  withFilters(
    withCommon(
      deliveries
        .command('replay')
        .argument('[ids...]')
        .description('make dead or skipped deliveries happen again'),
    ),
  )
    .addOption(
      new Option('--state <state>', 'instead of IDs: all in this state').choices(['dead', 'skipped']),
    )
    .option('--remap', 'map the stored input anew, by the configuration of today', false)
    .option('--dry-run', 'say what would be replayed, and change nothing', false)
    .addOption(new Option('--continue <replay>', 'go on with a replay that was broken off').argParser(count))
    .action(async (ids: string[], options: ReplayOptions, command: Command) => {
      const { state, ...rest } = filtersOf(options)
      const how = { ...common(options), dryRun: options.dryRun, remap: options.remap }
      const filters = [state, ...Object.values(rest)].some((filter) => filter !== undefined)
      if (options.continue !== undefined) {
        if (ids.length > 0 || filters || how.dryRun || how.remap) usage(command, '--continue stands alone')
        return finish(await continueReplay(common(options), options.continue, context))
      }
      if (ids.length > 0 && filters) usage(command, 'give IDs or filters, not both')
      if (ids.length > 0) return finish(await replayById(how, ids, context))
      if (state === undefined) usage(command, 'name the deliveries by their IDs, or with --state dead')
      finish(await replayMatching(how, { ...rest, state }, context))
    })

  withCommon(deliveries.command('replays').description('list who replayed what, when, newest first')).action(
    async (options: Common) => finish(await listReplays(common(options), context)),
  )

  addTap(program, config, context, finish)
}

function usage(command: Command, message: string): never {
  return command.error(`error: ${message}`, { exitCode: 2 })
}

const EXAMPLES = `
The admin token is that of the variable REFINER_SYNC_ADMIN_TOKEN, or of the configuration.

Examples:
  refiner-sync deliveries list --state dead --tenant acme --since 2h
  refiner-sync deliveries show 1042
  refiner-sync deliveries replay 1042 1043
  refiner-sync deliveries replay --state dead --tenant acme --error "answered 400" --remap --dry-run
  refiner-sync deliveries replays`
