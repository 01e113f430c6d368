import type { Case } from '../case.ts'
import { startDaemon } from '../daemon.ts'
import { quantiles } from '../load/plan.ts'
import { runLoad, startProgram } from '../processes.ts'
import { steadily } from '../steady.ts'

const PER_SECOND = 200

/** At a steady rate, whatever happens; Segment's own limit of 50 requests a second is kept to. */
export const delay: Case = {
  name: 'delay',
  what: 'acknowledged → delivered, at 200 a second',
  against: 'one round trip to the stand-in',
  async run({ seconds, program }) {
    const sink = await startProgram('sink')
    const daemon = await startDaemon({ program, peer: sink.url, rate: 50 })
    try {
      const roundTrip = await roundTripMs(sink.url)
      const plan = { ...steadily(daemon.url, sink.url, PER_SECOND, seconds), waitForArrivals: true }
      const { arrivalMs } = await runLoad(plan)
      const { p50, p99, most } = arrivalMs!
      const raw = `a round trip takes ${roundTrip.toFixed(2)} ms, so p50 is ${(p50 / roundTrip).toFixed(0)} of them`
      return [
        { name: 'p50', value: p50, unit: 'ms', aim: { below: 25 }, spread: 0, raw },
        {
          name: 'p99',
          value: p99,
          unit: 'ms',
          aim: { below: 100 },
          spread: 0,
          raw: `at most ${most.toFixed(1)} ms`,
        },
      ]
    } finally {
      await daemon.stop()
      await sink.stop()
    }
  },
}

/** Of a small request over a connection that is open, the median. */
async function roundTripMs(url: string): Promise<number> {
  const took: number[] = []
  for (let n = 0; n < 300; n++) {
    const start = performance.now()
    await (await fetch(`${url}/v1/batch`, { method: 'POST', body: '{"batch":[]}' })).arrayBuffer()
    if (n >= 100) took.push(performance.now() - start)
  }
  return quantiles(took).p50
}
