import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  type BackfillOptions,
  beginBackfill,
  listBackfills,
  pauseBackfill,
  resumeBackfill,
} from './backfill.ts'
import { dryRun } from './backfill-dry-run.ts'
import type { CommandContext, ExitCode } from './context.ts'
import { withCommon } from './delivery-options.ts'

interface Options {
  readonly url?: string
  readonly json: boolean
  readonly tenant?: string
  readonly since?: string
  readonly until?: string
  readonly survey?: readonly string[]
  readonly contacts: boolean
  readonly rate?: number
  readonly toSegment: boolean
  readonly storeOnly: boolean
  readonly dryRun: boolean
  readonly resume: boolean
  readonly pause: boolean
  readonly list: boolean
}

/** Adds `backfill` to the program. */
export function addBackfill(
  program: Command,
  config: () => string,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  withCommon(
    program
      .command('backfill')
      .description('bring over what Refiner knows of the time before, below live traffic in priority'),
  )
    .option('--tenant <name>', 'of this tenant')
    .option('--since <moment>', 'responses from then on: 2023-01-31, 2023-01-31T08:00:00Z, or 90d')
    .option('--until <moment>', 'responses before then (default: now)')
    .option('--survey <name...>', 'only of these surveys, by name (* stands for any characters) or uuid')
    .option('--contacts', 'bring over contacts too, so that users and accounts are known here', false)
    .addOption(new Option('--rate <messages>', 'at most so many messages a second').argParser(rate))
    .option('--to-segment', 'send what is brought over to Segment (this is what happens)', false)
    .option('--store-only', 'keep users, accounts and responses here, and send nothing', false)
    .option('--dry-run', 'read some, say what would be sent, show five samples, and write nothing', false)
    .option('--resume', 'go on with one that was paused or failed, or watch the one that runs', false)
    .option('--pause', 'let the one that runs wait until it is resumed', false)
    .option('--list', 'list the newest backfills', false)
    .addHelpText('after', HELP)
    .action(async (options: Options, command: Command) => {
      const { url, json } = options
      const common = { config: config(), url, json }
      const wrong = mistake(options)
      if (wrong !== null) command.error(`error: ${wrong}`, { exitCode: 2 })
      const tenant = options.tenant ?? null
      if (options.list) return finish(await listBackfills(common, tenant, context))
      if (options.resume) return finish(await resumeBackfill(common, tenant!, context))
      if (options.pause) return finish(await pauseBackfill(common, tenant!, context))
      const wish = wishOf(tenant!, options)
      finish(await (options.dryRun ? dryRun : beginBackfill)(common, wish, context))
    })
}

function wishOf(tenant: string, options: Options): BackfillOptions {
  const { since, until, survey: surveys = [], contacts, rate, storeOnly } = options
  return { tenant, since, until, surveys, contacts, rate, mode: storeOnly ? 'store-only' : 'to-segment' }
}

/** What is wrong with the options together; null when nothing is. */
function mistake(options: Options): string | null {
  const { tenant, since, contacts, toSegment, storeOnly, dryRun } = options
  const ways = ['list', 'resume', 'pause', 'dryRun'] as const
  if (ways.filter((way) => options[way]).length > 1) {
    return '--list, --resume, --pause and --dry-run do not go together'
  }
  if (tenant === undefined && !options.list) return 'name the tenant with --tenant'
  if (options.list || options.resume || options.pause) {
    const given = ['since', 'until', 'survey', 'rate'] as const
    const isGiven = given.some((name) => options[name] !== undefined) || contacts || toSegment || storeOnly
    return isGiven ? 'a backfill that is there has its filters: leave them out' : null
  }
  if (toSegment && storeOnly) return 'either --to-segment or --store-only'
  if (since === undefined && (!contacts || dryRun)) return 'say since when, with --since'
  return null
}

function rate(value: string): number {
  const number = Number(value.replace(/\/s$/, ''))
  if (number > 0 && number <= 100_000) return Math.max(0.001, Math.round(number * 1000) / 1000)
  throw new InvalidArgumentError('give a number of messages a second, over 0')
}

const HELP = `
It runs in the daemon. Ctrl-C ends the watching, not the backfill: --resume watches it again, --pause lets it wait. After a
restart of the daemon, or a crash, it goes on by itself where it was. What is sent has the timestamps of then, and an ID
by which a message that a webhook, polling or an earlier backfill brought is known, and is not sent again.

Without --store-only everything is sent to Segment. What is kept with --store-only can be sent later, by the same command
without it.

Examples:
  refiner-sync backfill --tenant acme --since 2023-01-01 --dry-run
  refiner-sync backfill --tenant acme --since 2023-01-01 --rate 200
  refiner-sync backfill --tenant acme --since 90d --survey "NPS *" --store-only
  refiner-sync backfill --tenant acme --contacts
  refiner-sync backfill --tenant acme --resume`
