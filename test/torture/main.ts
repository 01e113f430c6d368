import { parseArgs } from 'node:util'
import { resolve } from 'node:path'
import { compiler } from '../support/faulty-disk.ts'
import { FROM_SOURCE } from '../support/process.ts'
import { type Report, type Scenario, SCENARIOS, torture } from './torture.ts'

const USAGE = `bun run torture [--seed N] [--cycles N] [--duration 60s|10m] [--scenario NAME] [--binary FILE] [--json]

Kills the daemon again and again while both ways are live, and says what came of what it had acknowledged.
Without --cycles and --duration: 60 s. Scenarios: ${Object.keys(SCENARIOS).join(', ')} (default: all).`

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    cycles: { type: 'string' },
    duration: { type: 'string' },
    scenario: { type: 'string' },
    binary: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})

if (values.help === true) {
  console.log(USAGE)
  process.exit(0)
}
const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : whole(values.seed, '--seed')
const cycles = values.cycles === undefined ? Infinity : whole(values.cycles, '--cycles')
const durationMs =
  values.duration === undefined ? (cycles === Infinity ? 60_000 : Infinity) : duration(values.duration)
const scenario = scenarioOf(values.scenario ?? 'all')
const program = values.binary === undefined ? FROM_SOURCE : [resolve(values.binary)]

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())

const report = await torture({
  program,
  seed,
  scenario,
  cycles,
  durationMs,
  mostItems: 60,
  stopping: stopping.signal,
  onCycle(cycle, acknowledged) {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r${cycle} cycles, ${acknowledged} acknowledged (seed ${seed})\x1b[K`)
    }
  },
})
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
console.log(values.json === true ? JSON.stringify(report, null, 2) : describe(report))
process.exit(report.passed ? 0 : 1)

function usage(problem: string): never {
  console.error(`${problem}\n\n${USAGE}`)
  process.exit(2)
}

function whole(text: string, name: string): number {
  return /^\d+$/.test(text) ? Number(text) : usage(`${name} takes a whole number`)
}

function duration(text: string): number {
  const [, count, unit] = /^(\d+)(s|m|h)$/.exec(text) ?? usage('--duration takes a time such as 60s or 10m')
  return Number(count) * { s: 1000, m: 60_000, h: 3_600_000 }[unit as 's' | 'm' | 'h']
}

function scenarioOf(name: string): Scenario {
  if (!Object.hasOwn(SCENARIOS, name)) return usage(`there is no scenario ${name}`)
  const weights = SCENARIOS[name as Scenario]
  if (('power' in weights || 'disk' in weights) && compiler() === null) {
    return usage(
      `${name} makes the disk fail, which needs a C compiler on Linux; --scenario process does without`,
    )
  }
  return name as Scenario
}

function describe(report: Report): string {
  const { acknowledged, delivered, copies, retention, growth } = report
  const blows = Object.entries(report.blows).map(
    ([blow, { count, ms }]) => `${blow} ${count} (${ms} ms each)`,
  )
  const lines = [
    `${report.passed ? 'passed' : 'FAILED'}: ${report.scenario}, seed ${report.seed}, ${report.cycles} cycles in ${report.seconds.toFixed(0)} s`,
    `blows: ${blows.join(', ')}`,
    `a cycle: ${growth.cycleMs[0]} ms in the first half, ${growth.cycleMs[1]} ms in the second; the harness: ${growth.residentMb[0]} MB in the middle, ${growth.residentMb[1]} MB at the end`,
    `acknowledged: ${acknowledged.webhook} webhooks, ${acknowledged.message} messages`,
    `delivered: ${delivered.segment} to Segment, ${delivered.refiner} to Refiner; copies: ${copies.segment} and ${copies.refiner}; calls with merged identifies: ${report.merged}`,
    `retention: ${retention.removed} old items removed; killed ${retention.removing} times while removing, ${retention.shrinking} while shrinking the file, ${retention.neither} at neither`,
    ...problem('lost', report.lost),
    ...problem('invented', report.invented),
    ...problem('out of order', report.outOfOrder),
    ...problem('with another message ID', report.otherMessageId),
    ...problem('at the wrong tenant', report.wrongTenant),
    ...problem('with wrong traits', report.wrongTraits),
    ...problem('ended by itself', report.crashes),
    ...problem('did not do as it should', report.complaints),
  ]
  return lines.join('\n')
}

function problem(what: string, names: readonly string[]): string[] {
  return [`${what}: ${names.length}`, ...names.slice(0, 10).map((name) => `  ${name}`)]
}
