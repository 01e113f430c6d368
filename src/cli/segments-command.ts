import { type Command, Option } from 'commander'
import type { CommandContext, ExitCode } from './context.ts'
import { count, withCommon } from './delivery-options.ts'
import { tryCondition } from './segment-trial.ts'
import { exportSegment, listSegments, showSegment } from './segments.ts'

interface Common {
  readonly url?: string
  readonly json: boolean
  readonly tenant?: string
}

/** Adds `segments list|show|export` to the program. */
export function addSegments(
  program: Command,
  config: () => string,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const segments = program
    .command('segments')
    .description('list the segments that the running daemon keeps, and who is in them')
    .addHelpText('after', EXAMPLES)
  const common = ({ url, json }: Common) => ({ config: config(), url, json })

  withCommon(segments.command('list').description('list the segments and how many are in each'))
    .option('--tenant <name>', 'of this tenant')
    .action(async (options: Common) => {
      finish(await listSegments(common(options), options.tenant, context))
    })

  withCommon(segments.command('show').argument('<name>').description('show a segment and who is in it'))
    .option('--tenant <name>', 'of this tenant; needed where several have a segment of that name')
    .option('--after <id>', 'whose user IDs are behind this one')
    .addOption(new Option('--limit <count>', 'at most this many (100)').argParser(count))
    .action(async (name: string, options: Common & { after?: string; limit?: number }) => {
      const { tenant, after, limit } = options
      finish(await showSegment(common(options), { name, tenant, after, limit }, context))
    })

  withCommon(
    segments
      .command('try')
      .argument('<condition>')
      .description('say for whom a condition would hold; nothing comes of it'),
  )
    .option('--tenant <name>', 'of this tenant; needed where there are several')
    .action(async (when: string, options: Common) => {
      finish(await tryCondition(common(options), { when, tenant: options.tenant }, context))
    })

  segments
    .command('export')
    .argument('<name>')
    .description('print all who are in a segment, as CSV or JSON lines')
    .option('--tenant <name>', 'of this tenant; needed where several have a segment of that name')
    .addOption(new Option('--format <format>', 'csv or jsonl').choices(['csv', 'jsonl']).default('csv'))
    .option('--url <url>', 'where the daemon listens (default: as the configuration says)')
    .action(async (name: string, options: { tenant?: string; format: 'csv' | 'jsonl'; url?: string }) => {
      const { tenant, format, url } = options
      finish(await exportSegment({ config: config(), url, json: false }, { name, tenant, format }, context))
    })
}

const EXAMPLES = `
The admin token is that of the variable REFINER_SYNC_ADMIN_TOKEN, or of the configuration.

Examples:
  refiner-sync segments try 'int(answers.nps) >= 9' --tenant acme
  refiner-sync segments list
  refiner-sync segments show promoters --tenant acme --limit 20
  refiner-sync segments export promoters --tenant acme > promoters.csv`
