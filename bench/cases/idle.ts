import type { Case } from '../case.ts'
import { compare } from '../compare.ts'
import { startDaemon } from '../daemon.ts'
import { median } from '../load/plan.ts'
import { removeFolder, type Running, startProgram, temporaryFolder } from '../processes.ts'
import { residentMb } from '../resident.ts'

const ROUNDS = 5
/** So long after the start it has nothing left to do. */
const SETTLED_MS = 1000

export const idle: Case = {
  name: 'idle',
  what: 'idle memory; start to ready',
  against: 'an empty Bun server with SQLite open',
  async run({ program }) {
    const starts: { ours: number[]; limit: number[] } = { ours: [], limit: [] }
    const folder = temporaryFolder()
    const memory = await compare(ROUNDS, {
      limit: () => settledMb(() => startProgram('empty-server', folder), starts.limit),
      ours: () => settledMb(() => startDaemon({ program }), starts.ours),
    }).finally(() => removeFolder(folder))
    const seconds = median(starts.ours) / 1000
    const spread = (Math.max(...starts.ours) - Math.min(...starts.ours)) / 2000 / seconds
    return [
      {
        name: 'memory',
        value: memory.ratio,
        unit: '×',
        aim: { below: 1.6 },
        spread: memory.spread,
        raw: `${memory.ours.toFixed(0)} MB against ${memory.limit.toFixed(0)} MB resident`,
      },
      {
        name: 'start',
        value: seconds,
        unit: 's',
        aim: { below: 0.3 },
        spread,
        raw: `the empty server takes ${(median(starts.limit) / 1000).toFixed(2)} s`,
      },
    ]
  },
}

/** Resident memory some time after the start, in MB; the start's own time is added to `starts`, in ms. */
async function settledMb(start: () => Promise<Running>, starts: number[]): Promise<number> {
  const running = await start()
  try {
    starts.push(running.startMs)
    await Bun.sleep(SETTLED_MS)
    return residentMb(running.pid)
  } finally {
    await running.stop()
  }
}
