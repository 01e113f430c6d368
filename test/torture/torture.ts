import type { Health } from '../../src/contracts/health.ts'
import { until } from '../support/loop.ts'
import type { Program } from '../support/process.ts'
import { type Blow, replay, strike } from './blows.ts'
import { Ledger, type Verdict } from './ledger.ts'
import { olderDatabase } from './older-database.ts'
import type { Remains } from './old-rows.ts'
import { type Growth, Pace, type Times } from './pace.ts'
import { type Peers, startPeers } from './peers.ts'
import { chance } from './random.ts'
import { Senders } from './senders.ts'
import { Victim } from './victim.ts'

/** Which blows, and how often one against the other. */
export const SCENARIOS = {
  kill: { work: 1 },
  start: { start: 1 },
  replay: { replay: 1 },
  reload: { reload: 1 },
  retention: { retention: 1 },
  stop: { stop: 1 },
  migrate: { migrate: 1 },
  power: { power: 1 },
  disk: { disk: 1 },
  /** What the suite takes the time for. */
  brief: { work: 10, start: 4, replay: 3, reload: 3, retention: 1 },
  /** What needs no compiler. */
  process: { work: 10, start: 3, replay: 3, reload: 3, retention: 1, stop: 1, migrate: 1 },
  all: { work: 10, start: 6, replay: 4, reload: 4, retention: 1, stop: 1, migrate: 1, power: 5, disk: 4 },
} as const satisfies Record<string, Partial<Record<Blow, number>>>

export type Scenario = keyof typeof SCENARIOS

export interface TortureOptions {
  readonly program: Program
  readonly seed: number
  readonly scenario: Scenario
  /** It ends with whichever comes first. */
  readonly cycles: number
  readonly durationMs: number
  /** That are acknowledged in one cycle, at the most; about half of that on the average. */
  readonly mostItems: number
  /** Ends it after the cycle under way; what is left is delivered and compared all the same. */
  readonly stopping?: AbortSignal
  /** Called after each cycle. */
  readonly onCycle: (cycle: number, acknowledged: number) => void
}

export interface Report extends Verdict {
  readonly seed: number
  readonly scenario: Scenario
  readonly cycles: number
  readonly blows: Readonly<Partial<Record<Blow, Times>>>
  readonly seconds: number
  readonly growth: Growth
  /** Old items that retention removed before it was killed, and in what it was killed how often. */
  readonly retention: Readonly<Record<'removed' | Remains['within'], number>>
  /** What it said when it ended without having been killed. */
  readonly crashes: readonly string[]
  /** What else it did not do as it should. */
  readonly complaints: readonly string[]
  readonly passed: boolean
}

/** The longest that what is left may take to be delivered at the end. */
const DRAIN_MS = 120_000

/** Kills a daemon in all sorts of ways while both ways are live; at the end lets it deliver what is left, and compares. */
export async function torture(options: TortureOptions): Promise<Report> {
  const { seed, scenario, cycles, durationMs, mostItems, stopping, onCycle } = options
  await using stops = new AsyncDisposableStack()
  const started = performance.now()
  const ledger = new Ledger()
  const peers = startPeers(ledger, chance(seed, 'peers'))
  stops.defer(() => peers.stop())
  const weights: Partial<Record<Blow, number>> = SCENARIOS[scenario]
  const usesDisk = weights.power !== undefined || weights.disk !== undefined
  const victim = new Victim({ program: options.program, peers, faultyDisk: usesDisk })
  stops.defer(() => victim.remove())
  stops.defer(async () => void (await victim.kill('SIGKILL')))
  const senders = new Senders({ ledger, random: chance(seed, 'senders'), up: victim.up })
  const random = chance(seed, 'blows')
  const pace = new Pace()
  const retention = { removed: 0, removing: 0, shrinking: 0, neither: 0 }
  const onRemains = ({ removed, within }: Remains) => {
    retention.removed += removed
    retention[within] += 1
  }
  const complaints: string[] = []
  let cycle = 0
  const goesOn = () =>
    cycle < cycles && performance.now() - started < durationMs && stopping?.aborted !== true
  for (; goesOn(); cycle++) {
    const blow = random.pick(weights)
    const began = performance.now()
    const complaint =
      blow === 'migrate'
        ? await killWhileMigrating(options, { run: cycle, ledger, peers })
        : await strike(blow, { victim, ledger, senders, peers, random, mostItems, onRemains })
    if (complaint !== null) complaints.push(`cycle ${cycle}, ${blow}: ${complaint}`)
    pace.add(blow, performance.now() - began)
    onCycle(cycle + 1, ledger.acknowledgedCount)
    if (victim.crashes.length > 5) break
  }
  peers.calmDown()
  victim.start()
  await victim.up()
  await senders.stop()
  const undrained = await drain(victim)
  if (undrained !== null) complaints.push(undrained)
  const code = await victim.kill('SIGTERM')
  if (code !== 0) complaints.push(`at the end it stopped with exit code ${code}`)
  for (const [status, count] of senders.oddities) complaints.push(`${count} requests were answered ${status}`)
  const verdict = ledger.verdict()
  const { lost, invented, outOfOrder, otherMessageId, wrongTenant, wrongTraits } = verdict
  const wrong = [
    lost,
    invented,
    outOfOrder,
    otherMessageId,
    wrongTenant,
    wrongTraits,
    complaints,
    victim.crashes,
  ]
  return {
    seed,
    scenario,
    cycles: cycle,
    blows: pace.blows(),
    seconds: (performance.now() - started) / 1000,
    growth: pace.growth(),
    retention,
    ...verdict,
    crashes: victim.crashes,
    complaints,
    passed: wrong.every(({ length }) => length === 0),
  }
}

/** Three times `kill -9` while a database of an earlier version is migrated and mapped; then it is left alone. */
async function killWhileMigrating(
  { program, seed }: TortureOptions,
  { run, ledger, peers }: { run: number; ledger: Ledger; peers: Peers },
): Promise<string | null> {
  const random = chance(seed, `migrate ${run}`)
  const victim = new Victim({ program, peers, faultyDisk: false })
  try {
    await olderDatabase(victim.database, run, ledger, random)
    for (let kills = 0; kills < 3; kills++) {
      victim.start()
      await Bun.sleep(random.between(50, 350))
      await victim.kill('SIGKILL')
    }
    victim.start()
    await victim.up()
    return await drain(victim)
  } catch (error) {
    return `${String(error)} ${victim.crashes.join('; ')}`
  } finally {
    await victim.kill('SIGKILL')
    victim.remove()
  }
}

/** Waits until nothing is pending, replaying what was given up. Answers what is left, in words; null for nothing. */
async function drain(victim: Victim): Promise<string | null> {
  const url = await victim.up()
  let left = 'no health yet'
  try {
    await until(async () => {
      const { tenants } = (await (await fetch(`${url}/health`)).json()) as Health
      const sum = (of: 'pending' | 'dead') =>
        Object.values(tenants).reduce((total, tenant) => total + tenant[of], 0)
      left = `${sum('pending')} pending and ${sum('dead')} dead`
      if (sum('dead') > 0) await replay(url)
      return sum('pending') + sum('dead') === 0
    }, AbortSignal.timeout(DRAIN_MS))
    return null
  } catch (error) {
    return `not all was delivered within ${DRAIN_MS} ms: ${left} (${String(error)})`
  }
}
