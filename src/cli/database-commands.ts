import { type Command, Option } from 'commander'
import { backup } from './backup.ts'
import type { CommandContext, ExitCode } from './context.ts'
import { vacuum } from './vacuum.ts'
import { verify } from './verify.ts'

const jsonOutput = () => new Option('--json', 'print JSON, for a program to read').default(false)

/** Adds `backup`, `verify` and `vacuum` to the program. */
export function addDatabaseCommands(
  program: Command,
  config: () => string,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('backup')
    .argument('<file>', 'where the copy goes')
    .description('copy the database, also while the daemon runs, and check the copy')
    .option('--force', 'replace the file if it is there', false)
    .addOption(jsonOutput())
    .addHelpText('after', '\nExample:\n  refiner-sync backup /var/backups/refiner-sync-$(date +%F).db')
    .action(async (file: string, { force, json }: { force: boolean; json: boolean }) => {
      finish(await backup({ config: config(), file, force, json }, context))
    })

  program
    .command('verify')
    .argument('[file]', 'a backup (default: the database of the configuration)')
    .description('check the whole database, also while the daemon runs, and change nothing')
    .addOption(jsonOutput())
    .addHelpText('after', VERIFY_HELP)
    .action(async (file: string | undefined, { json }: { json: boolean }) => {
      finish(await verify({ config: config(), file: file ?? null, json }, context))
    })

  program
    .command('vacuum')
    .description('rewrite the database as small as it can be, while the daemon is stopped')
    .addOption(jsonOutput())
    .addHelpText('after', '\nIt needs free space for a second copy of the database.')
    .action(async ({ json }: { json: boolean }) => finish(await vacuum({ config: config(), json }, context)))
}

const VERIFY_HELP = `
Examples:
  refiner-sync verify
  refiner-sync verify /var/backups/refiner-sync.db --json

It exits with 1 when something is wrong, and says what to do.`
