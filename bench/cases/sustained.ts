import { startBaseline } from '../baseline.ts'
import type { Bench, Case } from '../case.ts'
import { compare, count } from '../compare.ts'
import { startDaemon, WEBHOOK_HEADERS, WEBHOOK_PATH } from '../daemon.ts'
import { CONNECTIONS } from '../intake-speed.ts'
import { type Running, runLoad, startProgram } from '../processes.ts'

/** No more are sent while so many are acknowledged and not delivered: so the backlog cannot grow. */
const MOST_UNDELIVERED = 2000

/**
 * Load is let in no faster than it is delivered. What counts is the webhooks with all three messages at the stand-in.
 * The first seconds are left out: until then the backlog fills up to its bound.
 */
export const sustained: Case = {
  name: 'sustained',
  what: 'Refiner webhook in → its three messages delivered, sustained, backlog not growing',
  against: 'an afternoon’s script: Fastify + better-sqlite3',
  async run(bench) {
    const { ours, limit, ratio, spread } = await compare(2, {
      limit: () => delivered(bench, '/v1/refiner', (sink) => startBaseline(sink, (text) => bench.say(text))),
      ours: () => delivered(bench, WEBHOOK_PATH, (peer) => startDaemon({ program: bench.program, peer })),
    })
    const raw = `${count(ours)} webhooks/s against ${count(limit)}/s`
    return [{ name: 'ratio', value: ratio, unit: '×', aim: { atLeast: 3 }, spread, raw }]
  },
}

/** Webhooks a second that came in and were delivered. */
async function delivered(
  { seconds }: Bench,
  path: string,
  start: (sink: string) => Promise<Running>,
): Promise<number> {
  const sink = await startProgram('sink')
  try {
    const server = await start(sink.url)
    try {
      const { deliveredPerSecond } = await runLoad({
        url: server.url + path,
        headers: WEBHOOK_HEADERS,
        body: 'webhook',
        connections: CONNECTIONS,
        warmUpMs: seconds * 500,
        measureMs: seconds * 1000,
        perSecond: null,
        sink: sink.url,
        mostUndelivered: MOST_UNDELIVERED,
        waitForArrivals: false,
      })
      return deliveredPerSecond
    } finally {
      await server.stop()
    }
  } finally {
    await sink.stop()
  }
}
