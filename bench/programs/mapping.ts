/**
 * How fast interactions become messages, on one core: by settings alone, with ten rules, with a sandboxed plugin and
 * with a trusted one. The limit beside it: JSON.parse and JSON.stringify of the same bytes, in the same run. Takes the
 * time of each measurement as JSON in the first argument, prints the result as JSON.
 */
import { join } from 'node:path'
import type { PluginSettings } from '../../src/contracts/configuration.ts'
import type { PluginHost } from '../../src/contracts/plugin-host.ts'
import { mapItems } from '../../src/mapping/map-items.ts'
import { compileMapping, type TenantMapping } from '../../src/mapping/tenant-mapping.ts'
import { loadPlugins } from '../../src/plugins/load.ts'
import { testTenant } from '../../test/support/configuration.ts'
import { noPlugins } from '../../test/support/mapping.ts'
import { fields, interactionRule } from '../../test/support/rules.ts'
import { recordedWebhook } from '../messages.ts'

export interface MappingResult {
  /** Microseconds that JSON.parse and JSON.stringify of one interaction take. */
  readonly limit: number
  readonly rows: readonly {
    readonly name: string
    /** Microseconds an interaction. */
    readonly us: number
  }[]
}

const { seconds } = JSON.parse(process.argv[2]!) as { seconds: number }

/** As many as the mapper takes at once. */
const BATCH = 128
/** Short rounds, of which the fastest counts: what else the machine does only ever slows one down. */
const ROUND_MS = 100

const items = Array.from({ length: BATCH }, (_, id) => ({
  id,
  source: 'refiner_webhook' as const,
  payload: recordedWebhook(id),
  receivedAt: 1_700_000_000_000,
}))

/** Ten rules as people write them: conditions, calculations, a template, renames and casts. */
const TEN_RULES = [
  { name: 'nps', when: '"nps" in answers', traits: fields({ nps_score: 'int(answers.nps)' }) },
  { name: 'category', properties: fields({ nps_category: 'nps_category(answers.nps)' }) },
  { name: 'survey', when: 'survey.name.startsWith("Customer")', event: '{{ survey.name }} Completed' },
  { name: 'reason', rename: [['why_did_you_cancel', 'reason']] as const },
  { name: 'numbers', cast: [['nps', 'number']] as const },
  { name: 'company', properties: fields({ company: 'default(account.attributes.name, "none")' }) },
  { name: 'email', traits: fields({ email_hash: 'hash(lower(user.email))' }) },
  { name: 'staff', when: 'user.email.endsWith("@acme.example")', skip: 'staff' },
  { name: 'segments', properties: fields({ all_users: 'segments.exists(s, s.name == "All Users")' }) },
  { name: 'tags', drop: ['properties.tags'], groupTraits: fields({ month: 'date(response.completed_at)' }) },
].map((rule) => interactionRule(rule))

const PLUGIN: Omit<PluginSettings, 'name' | 'trusted'> = {
  path: join(import.meta.dir, '..', '..', 'plugins', 'nps-category.ts'),
  place: 'bench',
  timeoutMs: 1000,
  memoryBytes: 32 * 1024 * 1024,
  permissions: { env: new Map(), time: false, random: false, net: [] },
  options: {},
}

/** Microseconds an interaction. */
async function measure(work: () => unknown): Promise<number> {
  let fastest = Infinity
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    const start = performance.now()
    let batches = 0
    for (; performance.now() - start < ROUND_MS; batches++) await work()
    fastest = Math.min(fastest, ((performance.now() - start) * 1000) / batches / BATCH)
  }
  return fastest
}

const limit = await measure(() => {
  for (const { payload } of items) JSON.stringify(JSON.parse(payload))
})

const loaded = await loadPlugins(
  new Map([
    ['small', { ...PLUGIN, name: 'small', trusted: false, path: join(import.meta.dir, 'small-plugin.ts') }],
    ['sandboxed', { ...PLUGIN, name: 'sandboxed', trusted: false }],
    ['trusted', { ...PLUGIN, name: 'trusted', trusted: true }],
  ]),
)
if (!loaded.ok) throw new Error(`loading the plugin: ${loaded.problems[0]?.message}`)

const CASES: readonly (readonly [string, TenantMapping, PluginHost])[] = [
  ['settings alone', compileMapping(testTenant('bench')), noPlugins],
  ['ten rules', compileMapping(testTenant('bench', { toSegment: { mapping: TEN_RULES } })), noPlugins],
  [
    'a small sandboxed plugin',
    compileMapping(testTenant('bench', { toSegment: { plugins: ['small'] } })),
    loaded.host,
  ],
  [
    'plugins/nps-category.ts, sandboxed',
    compileMapping(testTenant('bench', { toSegment: { plugins: ['sandboxed'] } })),
    loaded.host,
  ],
  [
    'the same, trusted',
    compileMapping(testTenant('bench', { toSegment: { plugins: ['trusted'] } })),
    loaded.host,
  ],
]

const rows: { name: string; us: number }[] = []
for (const [name, mapping, host] of CASES) {
  const [first] = await mapItems(items, mapping, host)
  if (first?.deliveries[0]?.state !== 'pending') throw new Error(`${name}: nothing was mapped`)
  rows.push({ name, us: await measure(() => mapItems(items, mapping, host)) })
}
loaded.host.stop()
console.log(JSON.stringify({ limit, rows } satisfies MappingResult))
