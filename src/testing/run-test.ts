import { readText } from '../config/reading/read-text.ts'
import type { Tenant } from '../contracts/configuration.ts'
import type { NewDelivery } from '../contracts/delivery.ts'
import type { MappingTest } from '../contracts/mapping-test.ts'
import { explainItem } from '../mapping/explain.ts'
import { compileMapping, type TenantMapping } from '../mapping/tenant-mapping.ts'
import type { LoadedProject } from '../project.ts'
import { type Failure, judgeMessages } from './judge-messages.ts'
import { readInput } from './read-input.ts'
import { sentMessages, titleOf } from './sent-message.ts'

/** What a test came to. */
export interface TestResult {
  readonly name: string
  readonly place: string
  /** Null where it is not known which was meant. */
  readonly tenant: string | null
  /** `error`: it could not be run. */
  readonly verdict: 'passed' | 'failed' | 'error'
  readonly failures: readonly Failure[]
  /** What became of the input, delivery by delivery. */
  readonly outcome: readonly string[]
  /** What the mapping could not do as it was told, such as a rule that failed and was left out. */
  readonly notes: readonly string[]
  readonly durationMs: number
}

type TestedProject = Pick<LoadedProject, 'configuration' | 'plugins'>

/** A body of the most bytes that a configuration allows can be tested, too. */
const LARGEST_INPUT = 1024 * 1024 * 1024

/** Runs tests of the mapping, one after the other, as production would map their inputs. */
export class TestRunner {
  readonly #mappings = new Map<string, TenantMapping>()

  /** @param elapsed a clock of milliseconds, for durations */
  constructor(
    private readonly project: TestedProject,
    private readonly elapsed: () => number,
  ) {}

  /** Never rejects for what is in the test or its input. */
  async run(test: MappingTest): Promise<TestResult> {
    const started = this.elapsed()
    const result = await this.#judge(test)
    const { name, place } = test
    return { name, place, ...result, durationMs: this.elapsed() - started }
  }

  async #judge(test: MappingTest): Promise<Judgement> {
    const tenant = this.#tenantOf(test)
    if (typeof tenant === 'string') return cannotRun(tenant, null)
    const input = readTestInput(test)
    if (!input.ok) return cannotRun(input.reason, tenant.name)
    const { maxBodyBytes } = this.project.configuration.server
    const read = readInput(input.text, tenant, maxBodyBytes)
    if (read.kind === 'refused') return judge(test, tenant, { deliveries: [], refused: [read.reason] })
    const deliveries: NewDelivery[] = []
    for (const item of read.items) {
      const { mapped } = await explainItem(item, this.#mappingOf(tenant), this.project.plugins)
      deliveries.push(...mapped.deliveries)
    }
    const refused = read.refused.map(({ index, reason }) => `message ${index + 1} of the batch: ${reason}`)
    return judge(test, tenant, { deliveries, refused })
  }

  #tenantOf(test: MappingTest): Tenant | string {
    const { tenants } = this.project.configuration
    const name = test.tenant ?? (tenants.size === 1 ? [...tenants.keys()][0]! : null)
    if (name === null) return `\`tenant\` is missing: the tenants are ${[...tenants.keys()].join(', ')}`
    return (
      tenants.get(name) ?? `there is no tenant \`${name}\`; the tenants are ${[...tenants.keys()].join(', ')}`
    )
  }

  #mappingOf(tenant: Tenant): TenantMapping {
    const known = this.#mappings.get(tenant.name) ?? compileMapping(tenant)
    this.#mappings.set(tenant.name, known)
    return known
  }
}

type Judgement = Omit<TestResult, 'name' | 'place' | 'durationMs'>

/** What became of an input. */
interface Fate {
  readonly deliveries: readonly NewDelivery[]
  /** Why intake refused it, or messages of it. */
  readonly refused: readonly string[]
}

function readTestInput({
  input,
}: MappingTest):
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string } {
  if (input.kind === 'inline') return { ok: true, text: JSON.stringify(input.body) }
  const read = readText(input.path, LARGEST_INPUT)
  return read.ok ? read : { ok: false, reason: `cannot read the input ${input.path}: ${read.reason}` }
}

function judge(test: MappingTest, { name }: Tenant, fate: Fate): Judgement {
  const failures = failuresOf(test, fate)
  return {
    tenant: name,
    verdict: failures.length === 0 ? 'passed' : 'failed',
    failures,
    outcome: outcomeOf(fate),
    notes: [...new Set(fate.deliveries.flatMap(({ notes }) => notes ?? []))],
  }
}

function failuresOf({ expect, exact, expectSkip, expectError }: MappingTest, fate: Fate): Failure[] {
  if (expectSkip !== null) return judgeSkip(expectSkip, fate)
  if (expectError !== null) return judgeError(expectError, fate)
  const dead = fate.deliveries.filter(({ state }) => state === 'dead').map(whatWentWrong)
  return [
    ...fate.refused.map((reason) => failure(`refiner-sync would refuse this input: ${reason}`)),
    // A message that is given up is no good result, whatever else came out.
    ...dead.map((why) => failure(`it would be kept as dead: ${why}`)),
    ...judgeMessages(expect ?? [], sentMessages(fate.deliveries), exact),
  ]
}

function judgeSkip(part: string, { deliveries, refused }: Fate): Failure[] {
  const skipped = deliveries.filter(({ state }) => state === 'skipped')
  if (refused.length > 0 || deliveries.length === 0 || skipped.length < deliveries.length) {
    return [failure('it was not skipped')]
  }
  if (skipped.some((delivery) => reasonsOf(delivery).some((reason) => reason.includes(part)))) return []
  return [failure(`it was skipped, but for no reason that holds ${JSON.stringify(part)}`)]
}

function judgeError(part: string, { deliveries, refused }: Fate): Failure[] {
  const dead = deliveries.filter(({ state }) => state === 'dead')
  if (dead.length === 0 && refused.length === 0) return [failure('its mapping did not fail')]
  const reasons = [...refused, ...dead.flatMap(reasonsOf)]
  if (reasons.some((reason) => reason.includes(part))) return []
  return [failure(`its mapping failed, but for no reason that holds ${JSON.stringify(part)}`)]
}

/** The messages by the numbers that failures give them, and what became of the rest. */
function outcomeOf({ deliveries, refused }: Fate): string[] {
  let sent = 0
  const told = deliveries.map((delivery) => {
    const [message] = sentMessages([delivery])
    if (message === undefined) return `${delivery.state}: ${whatWentWrong(delivery)}`
    sent++
    return `message ${sent} to ${delivery.destination}: ${titleOf(message)}`
  })
  return [...refused.map((reason) => `refused: ${reason}`), ...told]
}

function whatWentWrong({ reason, detail }: NewDelivery): string {
  return [reason, detail].filter((text) => text !== null).join(': ')
}

function reasonsOf({ reason, detail, notes }: NewDelivery): string[] {
  return [reason, detail, notes].filter((text) => text !== null)
}

function cannotRun(reason: string, tenant: string | null): Judgement {
  return { tenant, verdict: 'error', failures: [failure(reason)], outcome: [], notes: [] }
}

function failure(message: string): Failure {
  return { message, differences: [] }
}
