import type { Bench, Case } from '../case.ts'
import { count } from '../compare.ts'
import { DEAD_PEER, startDaemon } from '../daemon.ts'
import { fullFolder, MANY } from '../full-store.ts'
import { asFastAsItGoes } from '../intake-speed.ts'
import type { Quantiles } from '../load/plan.ts'
import { removeFolder, runLoad, startProgram, temporaryFolder } from '../processes.ts'
import { mostResidentMb } from '../resident.ts'
import { steadily } from '../steady.ts'

const PER_SECOND = 200

/** One after the other on the same daemon: the delay at a steady rate, then how fast it takes in. */
export const deadTenant: Case = {
  name: 'dead-tenant',
  what: 'one tenant’s destination dead, with 1,000,000 rows: the others’ delay, intake, start, memory',
  against: 'the same with nothing waiting',
  async run(bench) {
    const without = await measured(bench, temporaryFolder())
    const full = await fullFolder({ pending: MANY, history: true }, (text) => bench.say(text))
    const many = await measured(bench, full)
    const [delay, before] = [many.delay, without.delay]
    return [
      {
        name: 'delay',
        value: delay.p50 / before.p50,
        unit: '×',
        aim: { below: 1.2 },
        spread: 0,
        raw:
          `p50 ${delay.p50.toFixed(1)} ms against ${before.p50.toFixed(1)} ms` +
          ` (p99 ${delay.p99.toFixed(1)} ms against ${before.p99.toFixed(1)} ms)`,
      },
      {
        name: 'intake',
        value: many.perSecond / without.perSecond,
        unit: '×',
        aim: { atLeast: 0.9 },
        spread: 0,
        raw: `${count(many.perSecond)} webhooks/s against ${count(without.perSecond)}/s`,
      },
      {
        name: 'start',
        value: many.startMs / 1000,
        unit: 's',
        aim: { below: 5 },
        spread: 0,
        raw: `${(without.startMs / 1000).toFixed(2)} s with nothing waiting`,
      },
      {
        name: 'memory',
        value: many.mostMb,
        unit: 'MB',
        aim: { below: 300 },
        spread: 0,
        raw: `the most under that load; ${without.mostMb.toFixed(0)} MB with nothing waiting`,
      },
    ]
  },
}

interface Measured {
  readonly startMs: number
  readonly delay: Quantiles
  readonly perSecond: number
  readonly mostMb: number
}

/** Removes the folder afterwards. */
async function measured({ program, seconds }: Bench, folder: string): Promise<Measured> {
  const sink = await startProgram('sink')
  const daemon = await startDaemon({ program, folder, peer: sink.url, fullPeer: DEAD_PEER })
  try {
    const { startMs } = daemon
    const plan = { ...steadily(daemon.url, sink.url, PER_SECOND, seconds), waitForArrivals: true }
    const { arrivalMs } = await runLoad(plan)
    const { perSecond } = await runLoad(asFastAsItGoes(daemon.url, 'webhook', seconds))
    return { startMs, delay: arrivalMs!, perSecond, mostMb: mostResidentMb(daemon.pid) }
  } finally {
    await daemon.stop()
    await sink.stop()
    removeFolder(folder)
  }
}
