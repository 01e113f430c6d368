import type { Tenant } from '../contracts/configuration.ts'
import type { JsonValue } from '../contracts/json.ts'
import { type Explanation, explainItem } from '../mapping/explain.ts'
import type { Item } from '../mapping/map-item.ts'
import { compileMapping } from '../mapping/tenant-mapping.ts'
import { type LoadedProject, loadProject } from '../project.ts'
import { inputOfDelivery, readDatabase } from '../store/read-only.ts'
import { displayed } from '../testing/displayed.ts'
import { type ReadInput, readInput } from '../testing/read-input.ts'
import { paletteOf } from './colours.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { readInputText } from './input-text.ts'
import { SecretMask } from './masked.ts'
import { tellMistakes } from './refused-configuration.ts'
import { describeExplanation } from './try-report.ts'

export interface TryOptions {
  readonly config: string
  /** A file with a body, or `-` for standard input; null where a delivery is named. */
  readonly file: string | null
  /** Whose mapping; null where there is one tenant, or a delivery is named. */
  readonly tenant: string | null
  /** A stored delivery, whose input is tried; null where a file is named. */
  readonly delivery: number | null
  readonly json: boolean
}

/** Shows what a body would become, rule by rule. Fails when it would be refused, or its mapping would. */
export async function tryInput(options: TryOptions, context: CommandContext): Promise<ExitCode> {
  const { config, file, tenant, delivery, json } = options
  if ((file === null) === (delivery === null)) {
    const what =
      'name a file with a webhook or message, - for standard input, or a stored one by --delivery ID'
    return usage(what, context)
  }
  if (delivery !== null && tenant !== null) {
    return usage('a delivery is of one tenant: leave --tenant out', context)
  }
  const project = await loadProject(config, context.environment)
  if (!project.ok) return tellMistakes({ ...project, file: config, json }, context)
  try {
    const safe = new SecretMask(project.configuration, context.environment).context(context)
    const found = await findInput(options, project)
    if (found.kind === 'usage') return usage(found.message, safe)
    if (found.kind === 'failed') return fail(found.message, json, safe)
    return await show(found, project, json, safe)
  } finally {
    project.plugins.stop()
  }
}

/** A body to try, and whose mapping is to be tried on it. */
interface FoundInput {
  readonly kind: 'found'
  readonly tenant: Tenant
  readonly input: ReadInput
  /** Where it comes from, for a person; null where that is known. */
  readonly origin: string | null
}

type Found =
  | FoundInput
  | { readonly kind: 'usage'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string }

async function findInput(
  { file, tenant: name, delivery }: TryOptions,
  project: LoadedProject,
): Promise<Found> {
  const { configuration } = project
  if (delivery !== null) return findStored(delivery, project)
  const { tenants, server } = configuration
  const names = [...tenants.keys()].join(', ')
  if (name === null && tenants.size > 1) {
    return { kind: 'usage', message: `say whose mapping to try with --tenant NAME: the tenants are ${names}` }
  }
  const tenant = tenants.get(name ?? [...tenants.keys()][0]!)
  if (tenant === undefined)
    return { kind: 'usage', message: `there is no tenant ${name}: the tenants are ${names}` }
  const read = await readInputText(file ?? '-')
  if (!read.ok) return { kind: 'failed', message: read.reason }
  return { kind: 'found', tenant, input: readInput(read.text, tenant, server.maxBodyBytes), origin: null }
}

function findStored(id: number, { configuration }: LoadedProject): Found {
  const { database, tenants } = configuration
  try {
    const stored = readDatabase(database.path, (sqlite) => inputOfDelivery(sqlite, id))
    if (stored === null) return { kind: 'failed', message: `there is no delivery ${id} in ${database.path}` }
    const tenant = tenants.get(stored.tenant)
    if (tenant === undefined) {
      const message = `delivery ${id} is of tenant ${stored.tenant}, which the configuration does not name`
      return { kind: 'failed', message }
    }
    const { source, payload, receivedAt, state, call, destination } = stored
    const origin =
      `delivery ${id} (${call} to ${destination}, ${state}) was made of what came at ` +
      `${new Date(receivedAt).toISOString()}; this is what the configuration makes of it now`
    const input: ReadInput = { kind: 'taken', items: [{ id: 1, source, payload, receivedAt }], refused: [] }
    return { kind: 'found', tenant, input, origin }
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}

async function show(
  { tenant, input, origin }: FoundInput,
  { plugins }: LoadedProject,
  json: boolean,
  context: CommandContext,
): Promise<ExitCode> {
  if (input.kind === 'refused') return fail(`refiner-sync would refuse this: ${input.reason}`, json, context)
  const mapping = compileMapping(tenant)
  const explained: { item: Item; explanation: Explanation }[] = []
  for (const item of input.items) {
    explained.push({ item, explanation: await explainItem(item, mapping, plugins) })
  }
  const deliveries = explained.flatMap(({ explanation }) => explanation.mapped.deliveries)
  const ok = input.refused.length === 0 && deliveries.every(({ state }) => state !== 'dead')
  if (json) {
    const items = explained.map(({ item, explanation }) => asJson(item, explanation))
    context.print(
      JSON.stringify({ ok, tenant: tenant.name, error: null, items, refused: input.refused }, null, 2),
    )
    return ok ? EXIT.ok : EXIT.failure
  }
  const palette = paletteOf(context)
  context.print(palette.quiet(`tenant ${tenant.name}${origin === null ? '' : `: ${origin}`}`))
  for (const { item, explanation } of explained) {
    context.print('')
    for (const line of describeExplanation(explanation, item, palette)) context.print(line)
  }
  for (const { index, reason } of input.refused) {
    context.print(palette.bad(`\nmessage ${index + 1} of the batch would be refused: ${displayed(reason)}`))
  }
  return ok ? EXIT.ok : EXIT.failure
}

function asJson({ source }: Item, { subject, start, steps, mapped }: Explanation) {
  const deliveries = mapped.deliveries.map(
    ({ destination, call, state, reason, detail, notes, payload }) => ({
      destination,
      call,
      state,
      reason,
      detail,
      notes,
      bytes: payload === null ? null : Buffer.byteLength(payload),
      message: payload === null ? null : (JSON.parse(payload) as JsonValue),
    }),
  )
  return { subject, source, start, steps, deliveries }
}

function usage(message: string, context: CommandContext): ExitCode {
  context.printError(`error: ${message}`)
  return EXIT.usage
}

function fail(message: string, json: boolean, context: CommandContext): ExitCode {
  if (json) context.print(JSON.stringify({ ok: false, error: message, items: [], refused: [] }, null, 2))
  else context.printError(displayed(message))
  return EXIT.failure
}
