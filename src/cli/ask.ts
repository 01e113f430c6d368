import { createInterface, type Interface } from 'node:readline/promises'
import { DEFAULTS } from '../config/defaults.ts'
import { TENANT_NAME } from '../config/schema.ts'
import { BUILT_IN_PRESETS } from '../config/presets.ts'
import { type Choices, DEFAULT_CHOICES, REGIONS, WEBHOOK_WAYS } from '../init/choices.ts'
import type { CommandContext } from './context.ts'

/** What is known of the choices without asking; null where it is not. */
export type Chosen = { readonly [Name in keyof Choices]: Choices[Name] | null }

/** The defaults for all that is not known. */
export function withDefaults(chosen: Chosen): Choices {
  const known = Object.entries(chosen).filter(([, value]) => value !== null)
  return { ...DEFAULT_CHOICES, ...Object.fromEntries(known) }
}

/** Asks on the terminal for all that is not known; null when the one who is asked ends it. */
export async function askChoices(chosen: Chosen, context: CommandContext): Promise<Choices | null> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const ended = new AbortController()
  terminal.once('SIGINT', () => terminal.close())
  terminal.once('close', () => ended.abort())
  void context.stopped.then(() => terminal.close())
  try {
    const asker = new Asker(terminal, ended.signal, context)
    const tenant = chosen.tenant ?? (await asker.ask(TENANT))
    const region = chosen.region ?? (await asker.choose(REGION, REGIONS, DEFAULT_CHOICES.region))
    const webhookIn = chosen.webhookIn ?? (await asker.choose(WAY, WEBHOOK_WAYS, DEFAULT_CHOICES.webhookIn))
    const preset = chosen.preset ?? presetOf(await asker.choose(PRESET, PRESETS, NONE))
    // A preset has a prefix of its own.
    const asksPrefix = chosen.traitPrefix === null && preset === null
    const traitPrefix = asksPrefix ? prefixOf(await asker.ask(PREFIX)) : chosen.traitPrefix
    return { tenant, region, webhookIn, preset, traitPrefix }
  } catch (error) {
    if (ended.signal.aborted) return null
    throw error
  } finally {
    terminal.close()
  }
}

interface Question {
  readonly text: string
  readonly preset: string
  /** What is wrong with an answer; null when it is right. */
  readonly check: (answer: string) => string | null
}

const TENANT: Question = {
  text: 'A name for your pair of accounts, which becomes part of URLs',
  preset: DEFAULT_CHOICES.tenant,
  check: tenantProblem,
}

const NONE = 'none'
const REGION = 'Region of the Segment workspace'
const WAY = "How Refiner's webhook carries its secret"
const PRESET = 'Settings to start from'
const PRESETS = [NONE, ...BUILT_IN_PRESETS.keys()]

const PREFIX: Question = {
  text: `Put before the names of traits in Segment, or ${NONE}`,
  preset: DEFAULTS.traitPrefix,
  check: () => null,
}

function presetOf(answer: string): string | null {
  return answer === NONE ? null : answer
}

function prefixOf(answer: string): string {
  return answer === NONE ? '' : answer
}

/** What is wrong with the name of a tenant; null when it is right. */
export function tenantProblem(name: string): string | null {
  if (new RegExp(TENANT_NAME).test(name)) return null
  return 'a name has letters, digits, - and _, begins with a letter or digit, and has at most 63 of them'
}

class Asker {
  constructor(
    private readonly terminal: Interface,
    private readonly ended: AbortSignal,
    private readonly context: CommandContext,
  ) {}

  /** Asks until the answer is right; an empty one takes the default. */
  async ask({ text, preset, check }: Question): Promise<string> {
    for (;;) {
      const answer = await this.terminal.question(`${text} [${preset}]: `, { signal: this.ended })
      const given = answer.trim() === '' ? preset : answer.trim()
      const problem = check(given)
      if (problem === null) return given
      this.context.print(`  ${problem}`)
    }
  }

  async choose<T extends string>(text: string, choices: readonly T[], preset: T): Promise<T> {
    const isOne = (answer: string): answer is T => choices.some((choice) => choice === answer)
    const list = choices.join(', ')
    const answer = await this.ask({
      text: `${text} (${list})`,
      preset,
      check: (given) => (isOne(given) ? null : `answer with one of ${list}`),
    })
    return isOne(answer) ? answer : preset
  }
}
