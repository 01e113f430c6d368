import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import type { CommandContext, ExitCode } from './context.ts'
import { WEBHOOK_WAYS, type Region, type WebhookWay, REGIONS } from '../init/choices.ts'
import { init } from './init.ts'
import { schema, SCHEMAS, type SchemaName } from './schema.ts'
import { test } from './test.ts'
import { tryInput } from './try.ts'

/** Adds what one needs to write a configuration: `init`, `test`, `try` and `schema`. */
export function addMappingCommands(
  program: Command,
  config: () => string,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  addInit(program, config, context, finish)
  addTest(program, config, context, finish)
  addTry(program, config, context, finish)
  program
    .command('schema')
    .description('print the JSON schema of refiner-sync.yaml, or the TypeScript contract of plugins')
    .addArgument(new Argument('[what]', 'which one').choices(SCHEMAS).default('config'))
    .addHelpText('after', SCHEMA_EXAMPLES)
    .action(async (what: SchemaName) => finish(await schema(what, context)))
}

type Add = typeof addMappingCommands
const jsonOutput = () => new Option('--json', 'print JSON, for a program to read').default(false)

const addInit: Add = (program, config, context, finish) => {
  program
    .command('init')
    .description('write a first refiner-sync.yaml, and tell what to do next')
    .option('--tenant <name>', 'what to call the pair of accounts; it becomes part of URLs (default: acme)')
    .addOption(new Option('--region <region>', 'of the Segment workspace (default: us)').choices(REGIONS))
    .addOption(
      new Option('--webhook-in <way>', 'how the webhook carries its secret (default: bearer)').choices(
        WEBHOOK_WAYS,
      ),
    )
    .option('--trait-prefix <text>', 'put before the names of traits (default: refiner_)')
    .option('--preset <name>', 'settings to start from (default: none)')
    .option(
      '--from-webhook <file>',
      'propose rules, a sample and a test from a recorded webhook; - for standard input',
    )
    .option('--yes', 'ask nothing: take the defaults for what is not named', false)
    .option('--force', 'overwrite what is there', false)
    .option('--print', 'print the YAML, and write nothing', false)
    .addOption(jsonOutput())
    .addHelpText('after', INIT_EXAMPLES)
    .action(async (options: InitFlags) => {
      const { tenant, region, webhookIn, traitPrefix, preset, fromWebhook, ...rest } = options
      const chosen = {
        tenant: tenant ?? null,
        region: region ?? null,
        webhookIn: webhookIn ?? null,
        traitPrefix: traitPrefix ?? null,
        preset: preset ?? null,
      }
      finish(await init({ ...rest, config: config(), chosen, fromWebhook: fromWebhook ?? null }, context))
    })
}

interface InitFlags {
  readonly tenant?: string
  readonly region?: Region
  readonly webhookIn?: WebhookWay
  readonly traitPrefix?: string
  readonly preset?: string
  readonly fromWebhook?: string
  readonly yes: boolean
  readonly force: boolean
  readonly print: boolean
  readonly json: boolean
}

const addTest: Add = (program, config, context, finish) => {
  program
    .command('test')
    .argument(
      '[files...]',
      'files of tests (default: those of the configuration and of config/tests beside it)',
    )
    .description('run the tests of the mapping')
    .option('--filter <text>', 'only tests with this text in their name')
    .option('--junit <file>', 'write the results as JUnit XML, too')
    .addOption(jsonOutput())
    .addHelpText('after', TEST_EXAMPLES)
    .action(async (files: string[], options: { filter?: string; junit?: string; json: boolean }) => {
      const { filter, junit, json } = options
      finish(
        await test({ config: config(), files, filter: filter ?? null, junit: junit ?? null, json }, context),
      )
    })
}

const addTry: Add = (program, config, context, finish) => {
  program
    .command('try')
    .argument('[file]', 'a webhook of Refiner or a message of Segment, as JSON; - for standard input')
    .description('show what a webhook or message would become, rule by rule, and send nothing')
    .option('--tenant <name>', 'whose mapping to try; may be left out when there is one tenant')
    .addOption(
      new Option('--delivery <id>', 'instead of a file: what this stored delivery was made of').argParser(id),
    )
    .addOption(jsonOutput())
    .addHelpText('after', TRY_EXAMPLES)
    .action(
      async (file: string | undefined, options: { tenant?: string; delivery?: number; json: boolean }) => {
        const { tenant, delivery, json } = options
        const wanted = { file: file ?? null, tenant: tenant ?? null, delivery: delivery ?? null }
        finish(await tryInput({ config: config(), ...wanted, json }, context))
      },
    )
}

function id(value: string): number {
  const number = Number(value)
  if (/^\d+$/.test(value) && Number.isSafeInteger(number)) return number
  throw new InvalidArgumentError('It is a number; `refiner-sync deliveries list` shows them.')
}

const INIT_EXAMPLES = `
Examples:
  refiner-sync init                                     ask, then write refiner-sync.yaml
  refiner-sync init --tenant acme --region eu --yes     ask nothing
  refiner-sync init --from-webhook webhook.json --yes   with rules for its questions, a sample and a test
  refiner-sync init --yes --print                       show what it would write`

const TEST_EXAMPLES = `
Examples:
  refiner-sync test
  refiner-sync test config/tests/nps.yaml --filter promoter
  refiner-sync test --junit build/refiner-sync.xml

Tests send nothing. They need the variables that the configuration names, but any value will do.
It exits with 1 when a test fails, and when there is none to run.`

const TRY_EXAMPLES = `
Examples:
  refiner-sync try config/samples/completed-survey.json
  refiner-sync try webhook.json --tenant acme --json
  refiner-sync try --delivery 4711                      what is wrong with this one?
  pbpaste | refiner-sync try -

It exits with 1 when the input would be refused or kept as dead.`

const SCHEMA_EXAMPLES = `
Examples:
  refiner-sync schema > refiner-sync.schema.json        for an editor: # yaml-language-server: $schema=./…
  refiner-sync schema plugin > plugins/refiner-sync.d.ts`
