import { Command, CommanderError, Option } from 'commander'
import { LOG_LEVELS, type LogLevel } from '../observe/log.ts'
import { VERSION } from '../version.ts'
import { addBackfill } from './backfill-command.ts'
import { check } from './check.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { addDeliveries } from './deliveries-command.ts'
import { addDatabaseCommands } from './database-commands.ts'
import { demo } from './demo.ts'
import { addDoctor } from './doctor.ts'
import { addForget } from './forget-command.ts'
import { addMappingCommands } from './mapping-commands.ts'
import { addSegments } from './segments-command.ts'
import { serve } from './serve.ts'
import { status } from './status.ts'
import { addUsers } from './users-command.ts'

const JSON_OUTPUT = () => new Option('--json', 'print JSON, for a program to read').default(false)

/** Runs the command that `argv` (without the program's own name) asks for; answers the exit code. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const finish = (result: ExitCode) => {
    code = result
  }
  const program = createProgram(context, finish)
  try {
    await program.parseAsync(withCommand(program, argv), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
  return code
}

/** `refiner-sync` and `refiner-sync --config FILE` mean `serve`. */
function withCommand(program: Command, argv: readonly string[]): string[] {
  const asksForProgram = /^(-h|--help|-V|--version)$/.test(argv[0] ?? '')
  const { operands } = program.parseOptions([...argv])
  return operands.length > 0 || asksForProgram ? [...argv] : ['serve', ...argv]
}

function createProgram(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const program = new Command('refiner-sync')
    .description('Keeps a Refiner account and a Segment workspace in sync, both ways.')
    .version(VERSION, '-V, --version', 'print the version')
    .addOption(
      new Option('-c, --config <file>', 'the configuration file')
        .default('refiner-sync.yaml')
        .env('REFINER_SYNC_CONFIG'),
    )
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.print(text.trimEnd()),
      writeErr: (text) => context.printError(text.trimEnd()),
    })
    .showHelpAfterError('(run with --help for the commands and their options)')
    .addHelpText('after', EXAMPLES)

  const config = () => program.opts<{ config: string }>().config

  program
    .command('serve')
    .description('run the daemon (this is what happens without a command)')
    .addOption(
      new Option('--log-level <level>', 'the least that is logged').choices(LOG_LEVELS).default('info'),
    )
    .addHelpText('after', '\nExample:\n  refiner-sync serve --config /etc/refiner-sync/refiner-sync.yaml')
    .action(async ({ logLevel }: { logLevel: LogLevel }) => {
      finish(await serve({ config: config(), logLevel }, context))
    })

  program
    .command('demo')
    .description(
      'show the whole loop with stand-ins for Segment and Refiner: no account, key or network needed',
    )
    .addOption(
      new Option('-p, --port <port>', 'the port to listen on (default: 8787, or a free one)').argParser(port),
    )
    .option('--once', 'end after the play instead of waiting for Ctrl-C', false)
    .addHelpText('after', '\nExample:\n  refiner-sync demo --port 9000')
    .action(async ({ port, once }: { port?: number; once: boolean }) => {
      const { terminal, stopped } = context
      const io = {
        print: (line: string) => context.print(line),
        colours: terminal && !context.environment['NO_COLOR'],
        stopped,
      }
      finish((await demo({ port: port ?? null, once }, io)) === 0 ? EXIT.ok : EXIT.failure)
    })

  program
    .command('check')
    .description(
      'say everything that is wrong with the configuration, its rules and plugins, and start nothing',
    )
    .option('--online', 'also try the keys, Segment, Refiner and the public URL', false)
    .addOption(
      new Option(
        '--url <url>',
        'with --online: where Segment and Refiner reach the daemon (default: server.public_url)',
      ),
    )
    .addOption(JSON_OUTPUT())
    .addHelpText(
      'after',
      '\nExamples:\n  refiner-sync check --config refiner-sync.yaml --json\n  refiner-sync check --online --url https://sync.example.com',
    )
    .action(async (options: { json: boolean; online: boolean; url?: string }, command: Command) => {
      const { json, online, url } = options
      if (url !== undefined && !online) command.error('error: --url goes with --online', { exitCode: 2 })
      finish(await check({ config: config(), json, online, url }, context))
    })

  program
    .command('status')
    .description('ask the running daemon how it fares')
    .option('--url <url>', 'where the daemon listens (default: as the configuration says)')
    .addOption(JSON_OUTPUT())
    .addHelpText('after', '\nExample:\n  refiner-sync status --url http://127.0.0.1:8787')
    .action(async ({ url, json }: { url?: string; json: boolean }) => {
      finish(await status({ config: config(), url, json }, context))
    })

  addDoctor(program, config, context, finish)

  addMappingCommands(program, config, context, finish)

  addDeliveries(program, config, context, finish)

  addBackfill(program, config, context, finish)

  addUsers(program, config, context, finish)

  addSegments(program, config, context, finish)

  addForget(program, config, context, finish)

  addDatabaseCommands(program, config, context, finish)

  program
    .command('version')
    .description('print the version')
    .addOption(JSON_OUTPUT())
    .action(({ json }: { json: boolean }) => {
      context.print(json ? JSON.stringify({ version: VERSION, bun: Bun.version }) : VERSION)
    })

  for (const command of program.commands) command.copyInheritedSettings(program)
  return program
}

const EXAMPLES = `
Examples:
  refiner-sync demo                        see it at work, in a minute
  refiner-sync init                        write a first refiner-sync.yaml
  refiner-sync check                       is refiner-sync.yaml right?
  refiner-sync try webhook.json            what would become of this?
  refiner-sync serve                       run the daemon
  refiner-sync status --json               how is it doing?
  refiner-sync doctor                      what is wrong, and what to do?

Exit codes: 0 all is well, 1 it failed, 2 the command line is wrong.`

function port(value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= 0 && number <= 65535) return number
  throw new CommanderError(
    EXIT.usage,
    'commander.invalidArgument',
    `error: ${value} is no port: give 0 to 65535`,
  )
}
