import type { Bench, Case } from '../case.ts'
import { compare, count } from '../compare.ts'
import { startDaemon } from '../daemon.ts'
import { fullFolder, MANY } from '../full-store.ts'
import { sinkCounts } from '../load/sink-counts.ts'
import { removeFolder, startProgram } from '../processes.ts'

/** A thousand are gone in two requests; these are the fewest of which one can say how fast they go. */
const FEW = 50_000
/** Of those: towards the end of few there is no full batch left. */
const COUNTED = 40_000
const LONGEST_MS = 60_000

/** The first messages after the start, as many on both sides; nothing comes in meanwhile. */
export const dispatchRate: Case = {
  name: 'dispatch-rate',
  what: 'dispatch rate with 1,000,000 rows waiting',
  against: 'with few: 50,000, since 1,000 are gone in two requests',
  async run(bench) {
    const { ours, limit, ratio, spread } = await compare(2, {
      limit: () => dispatched(bench, FEW),
      ours: () => dispatched(bench, MANY),
    })
    const raw = `${count(ours)} messages/s against ${count(limit)}/s`
    return [{ name: 'ratio', value: ratio, unit: '×', aim: { atLeast: 0.9 }, spread, raw }]
  },
}

/** Messages a second, of the first `COUNTED` that arrive where so many wait. */
async function dispatched(bench: Bench, waiting: number): Promise<number> {
  const folder = await fullFolder({ pending: waiting, history: waiting === MANY }, (text) => bench.say(text))
  const sink = await startProgram('sink')
  const daemon = await startDaemon({ program: bench.program, folder, fullPeer: sink.url })
  try {
    let first: { readonly at: number; readonly messages: number } | null = null
    const end = performance.now() + LONGEST_MS
    for (;;) {
      const { messages } = await sinkCounts(sink.url)
      const at = performance.now()
      if (messages > 0) first ??= { at, messages }
      if (first !== null && messages >= COUNTED) return ((messages - first.messages) * 1000) / (at - first.at)
      if (at > end) throw new Error(`only ${messages} messages arrived within ${LONGEST_MS} ms`)
      await Bun.sleep(5)
    }
  } finally {
    await daemon.stop()
    await sink.stop()
    removeFolder(folder)
  }
}
