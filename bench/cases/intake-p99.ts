import { join } from 'node:path'
import { type Bench, type Case, type Figure, notMeasured } from '../case.ts'
import { ADMIN_HEADERS, DEAD_PEER, startDaemon, understands, writeConfiguration } from '../daemon.ts'
import { FULL_TENANT, fullFolder, MANY } from '../full-store.ts'
import { removeFolder, type Running, runLoad, startProgram } from '../processes.ts'
import { steadily } from '../steady.ts'

const PER_SECOND = 500
const AIM = { below: 2 }
/** Nothing of what the database holds is past its time. */
const KEEP = 'retention: { delivered: 3650d, dead: 3650d }'
/** What was delivered years ago is. */
const REMOVE = 'retention: { delivered: 30d, dead: 3650d }'

/** What goes on beside the load; null when the program cannot do it. */
type Beside = (daemon: Running, folder: string) => Promise<(() => Promise<void>) | null>

/** The waiting rows are those of a tenant whose destinations are dead; the load is another's. */
export const intakeP99: Case = {
  name: 'intake-p99',
  what: 'intake p99 while 1,000,000 rows wait, and during retention, replay and backup',
  against: 'intake p99 with an empty store',
  async run(bench) {
    const hasRetention = await understands(bench.program, KEEP)
    const sink = await startProgram('sink')
    try {
      const limit = await ofEmptyStore(bench, sink.url)
      const folder = await fullFolder({ pending: MANY, history: true }, (text) => bench.say(text))
      const options = { program: bench.program, folder, peer: sink.url, fullPeer: DEAD_PEER }
      const daemon = await startDaemon({ ...options, more: hasRetention ? KEEP : '' })
      const figures: Figure[] = []
      const measure = async (name: string, beside: Beside) => {
        try {
          const going = await beside(daemon, folder)
          if (going === null) {
            figures.push(notMeasured(name, AIM, 'the program cannot do it yet'))
            return
          }
          const value = await p99(bench, daemon, sink.url)
          await going()
          const raw = `${value.toFixed(1)} ms against ${limit.toFixed(1)} ms, at ${PER_SECOND} webhooks/s`
          figures.push({ name, value: value / limit, unit: '×', aim: AIM, spread: 0, raw })
        } catch (error) {
          figures.push(
            notMeasured(name, AIM, `it failed: ${error instanceof Error ? error.message : 'unknown'}`),
          )
        }
      }
      try {
        await measure('waiting', async () => async () => {})
        await measure('replay', replaying)
        await measure('backup', (_, from) => backingUp(bench, from))
        await measure('retention', async () => {
          if (!hasRetention) return null
          await writeConfiguration(folder, { ...options, more: REMOVE })
          return async () => {}
        })
        return figures
      } finally {
        await daemon.stop()
        removeFolder(folder)
      }
    } finally {
      await sink.stop()
    }
  },
}

async function ofEmptyStore(bench: Bench, sink: string): Promise<number> {
  const daemon = await startDaemon({ program: bench.program, peer: sink })
  try {
    return await p99(bench, daemon, sink)
  } finally {
    await daemon.stop()
  }
}

async function p99({ seconds }: Bench, daemon: Running, sink: string): Promise<number> {
  return (await runLoad(steadily(daemon.url, sink, PER_SECOND, seconds))).answerMs.p99
}

/** Replays what is dead, for as long as it is looked at: part by part, as the command does. */
async function replaying(daemon: Running): Promise<(() => Promise<void>) | null> {
  const post = async (query: string) => {
    const url = `${daemon.url}/api/deliveries/replay?${query}`
    const response = await fetch(url, { method: 'POST', headers: ADMIN_HEADERS })
    return (await response.json()) as { replay?: number; finished_at?: string | null }
  }
  const stop = new AbortController()
  const { replay } = await post(`state=dead&tenant=${FULL_TENANT}&by=bench`)
  if (replay === undefined) return null
  const work = (async () => {
    while (!stop.signal.aborted && (await post(`replay=${replay}`)).finished_at === null);
  })()
  // Its failure is told when it is waited for.
  work.catch(() => {})
  // Its failure is told when it is waited for.
  work.catch(() => {})
  return () => {
    stop.abort()
    return work
  }
}

/** Makes one backup after the other. */
async function backingUp({ program }: Bench, folder: string): Promise<(() => Promise<void>) | null> {
  const help = Bun.spawnSync([...program, '--help']).stdout.toString()
  if (!/^ +backup /m.test(help)) return null
  const stop = new AbortController()
  const work = (async () => {
    for (let n = 0; !stop.signal.aborted; n++) {
      const to = join(folder, `backup-${n}.db`)
      const command = [...program, 'backup', to, '--config', join(folder, 'refiner-sync.yaml')]
      const child = Bun.spawn(command, { stdout: 'ignore', stderr: 'pipe' })
      const errors = await child.stderr.text()
      if ((await child.exited) !== 0) throw new Error(`the backup failed: ${errors}`)
      removeFolder(to)
    }
  })()
  // Its failure is told when it is waited for.
  work.catch(() => {})
  return () => {
    stop.abort()
    return work
  }
}
