import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { formatMistake } from '../config/mistake.ts'
import { reasonOf } from '../config/reading/read-text.ts'
import { type Choices, secretNames } from '../init/choices.ts'
import { type MadeFile, makeFiles } from '../init/make-files.ts'
import { askChoices, type Chosen, tenantProblem, withDefaults } from './ask.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { readInputText } from './input-text.ts'

export interface InitOptions {
  readonly config: string
  /** What the command line says; the rest is asked for, or takes its default. */
  readonly chosen: Chosen
  /** A recorded webhook, or `-` for standard input; null for none. */
  readonly fromWebhook: string | null
  readonly yes: boolean
  readonly force: boolean
  readonly print: boolean
  readonly json: boolean
}

/** Writes a first configuration, and tells what to do next. Overwrites nothing unless it is told to. */
export async function init(options: InitOptions, context: CommandContext): Promise<ExitCode> {
  const { config, chosen, fromWebhook, json } = options
  const problem = chosen.tenant === null ? null : tenantProblem(chosen.tenant)
  if (problem !== null) return usage(`--tenant: ${problem}`, context)
  if (!options.print && !options.force && existsSync(config)) return refuse([config], options, context)

  const choices = await choose(options, context)
  if (choices === 'unasked') return usage(UNASKED, context)
  if (choices === 'ended') return fail('ended; nothing is written', json, context)
  const webhook = fromWebhook === null ? null : await readInputText(fromWebhook)
  if (webhook !== null && !webhook.ok) return fail(webhook.reason, json, context)
  const made = await makeFiles(config, choices, webhook?.text ?? null)
  switch (made.kind) {
    case 'mistakes':
      return fail(made.mistakes.map(formatMistake).join('\n'), json, context)
    case 'not_a_webhook':
      return fail(`${fromWebhook}: ${made.reason}`, json, context)
    case 'made':
      return finish([made.configuration, ...made.others], choices, options, context)
  }
}

const UNASKED =
  'nobody can be asked here: give --tenant NAME, with --region, --webhook-in, --trait-prefix and --preset where their ' +
  'defaults do not fit, or --yes to take every default'

async function choose(
  { chosen, yes, fromWebhook, json }: InitOptions,
  context: CommandContext,
): Promise<Choices | 'unasked' | 'ended'> {
  if (yes) return withDefaults(chosen)
  const canAsk = context.terminal && process.stdin.isTTY && fromWebhook !== '-' && !json
  if (canAsk) return (await askChoices(chosen, context)) ?? 'ended'
  return chosen.tenant === null ? 'unasked' : withDefaults(chosen)
}

function finish(
  files: readonly MadeFile[],
  choices: Choices,
  options: InitOptions,
  context: CommandContext,
): ExitCode {
  const { print, force, json } = options
  if (print) {
    context.print(json ? JSON.stringify({ ok: true, files }, null, 2) : files[0]!.text.trimEnd())
    return EXIT.ok
  }
  const there = force ? [] : files.map(({ path }) => path).filter((path) => existsSync(path))
  if (there.length > 0) return refuse(there, options, context)
  const failed = write(files, force)
  if (failed !== null) return fail(failed, json, context)
  const steps = nextSteps(choices)
  const written = files.map(({ path }) => path)
  if (json) context.print(JSON.stringify({ ok: true, written, ...steps }, null, 2))
  else for (const line of tellSteps(written, steps, options)) context.print(line)
  return EXIT.ok
}

/** Why a file could not be written; null when all are. Of files that were not there before, all are written or none. */
function write(files: readonly MadeFile[], force: boolean): string | null {
  const made: string[] = []
  for (const { path, text } of files) {
    try {
      mkdirSync(dirname(path), { recursive: true })
      // Without --force a file that came in the meantime is not overwritten either.
      const flag = force && existsSync(path) ? 'w' : 'wx'
      writeFileSync(path, text, { flag })
      if (flag === 'wx') made.push(path)
    } catch (cause) {
      for (const one of made) rmSync(one, { force: true })
      return `cannot write ${path}: ${reasonOf(cause)}`
    }
  }
  return null
}

interface NextSteps {
  /** What the environment has to hold; null for a value that somebody else gives. */
  readonly variables: readonly {
    readonly name: string
    readonly value: string | null
    readonly what: string
  }[]
  readonly urls: { readonly refiner_webhook: string; readonly segment_destination: string }
}

/** With keys made anew: the two that are nobody's to give. */
function nextSteps({ tenant, webhookIn }: Choices): NextSteps {
  const names = secretNames(tenant)
  const makeUp = () => randomBytes(24).toString('hex')
  const webhookSecret = makeUp()
  const query = webhookIn === 'query' ? `?secret=${webhookSecret}` : ''
  return {
    variables: [
      { name: names.apiKey, value: null, what: 'Refiner > Integrations > Rest API' },
      { name: names.webhookSecret, value: webhookSecret, what: 'made up now; for the webhook in Refiner' },
      { name: names.writeKey, value: null, what: 'Segment > Sources > yours > Settings > API Keys' },
      { name: names.destinationKey, value: makeUp(), what: 'made up now; for the destination in Segment' },
    ],
    urls: {
      refiner_webhook: `https://YOUR-HOST/v1/refiner/${tenant}${query}`,
      segment_destination: 'https://YOUR-HOST/v1/segment',
    },
  }
}

function tellSteps(
  written: readonly string[],
  { variables, urls }: NextSteps,
  { config }: InitOptions,
): string[] {
  const flag = config === 'refiner-sync.yaml' ? '' : ` --config ${config}`
  const [, webhookSecret, , destinationKey] = variables
  return [
    ...written.map((path) => `wrote ${path}`),
    '',
    '1. Put these variables into the environment of refiner-sync (they are shown only once):',
    '',
    ...variables.flatMap(({ name, value, what }) => [`   # ${what}`, `   export ${name}='${value ?? '…'}'`]),
    '',
    `2. See that all is right:    refiner-sync check${flag}`,
    ...(written.length > 1 ? [`   and what the rules do:     refiner-sync test${flag}`] : []),
    `3. Run it:                   refiner-sync serve${flag}`,
    '4. In Refiner, under Integrations > Webhooks, make a webhook for "Completed Survey" to',
    `     ${urls.refiner_webhook}`,
    ...(urls.refiner_webhook.includes('?')
      ? []
      : [`   with the value of ${webhookSecret!.name} as its secret token.`]),
    '5. In Segment, make a destination that sends to',
    `     ${urls.segment_destination}`,
    `   with the value of ${destinationKey!.name} as its API key.`,
  ]
}

function refuse(paths: readonly string[], { json }: InitOptions, context: CommandContext): ExitCode {
  const are = paths.length === 1 ? 'is' : 'are'
  const message = `${paths.join(', ')} ${are} there already: --force overwrites, --print only shows what would be written`
  return fail(message, json, context)
}

function usage(message: string, context: CommandContext): ExitCode {
  context.printError(`error: ${message}`)
  return EXIT.usage
}

function fail(message: string, json: boolean, context: CommandContext): ExitCode {
  if (json) context.print(JSON.stringify({ ok: false, error: message }, null, 2))
  else context.printError(message)
  return EXIT.failure
}
