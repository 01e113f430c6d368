import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfiguration } from '../config/load.ts'
import { formatMistake } from '../config/mistake.ts'
import type { Configuration } from '../contracts/configuration.ts'
import { startDaemon } from '../daemon.ts'
import { silentLog } from '../observe/log.ts'
import { DEMO_KEYS, type DemoAddresses, demoYaml } from './configuration.ts'
import { past } from './interactions.ts'
import type { Narrator } from './narrator.ts'
import { type RefinerStandIn, startRefinerStandIn } from './refiner-stand-in.ts'
import { type SegmentStandIn, startSegmentStandIn } from './segment-stand-in.ts'

/** The running demo: a daemon with a fresh database between the two stand-ins. */
export interface Stage {
  /** Of the daemon. */
  readonly url: string
  readonly segment: SegmentStandIn
  readonly refiner: RefinerStandIn
  /** Stops all three and removes the database. May be called again. */
  stop(): Promise<void>
}

/** Starts the daemon on `port` (0: a free one). What arrives at the stand-ins is told to the narrator. */
export async function setStage(port: number, narrator: Narrator): Promise<Stage> {
  // Whatever has been started is stopped again when a later part fails to start; the last one first.
  await using started = new AsyncDisposableStack()

  const folder = await mkdtemp(join(tmpdir(), 'refiner-sync-demo-'))
  started.defer(() => rm(folder, { recursive: true, force: true }))

  const segment = startSegmentStandIn({
    writeKeys: [DEMO_KEYS.segmentWriteKey],
    onMessage: (message, _writeKey, dropped) => narrator.atSegment(message, dropped),
  })
  started.defer(() => segment.stop())

  const refiner = startRefinerStandIn({
    apiKeys: [DEMO_KEYS.refinerApiKey],
    kept: past(new Date()),
    onCall: (call) => narrator.atRefiner(call),
  })
  started.defer(() => refiner.stop())

  const configuration = configure(folder, { port, segmentUrl: segment.url, refinerUrl: refiner.url })
  const daemon = await startDaemon({ configuration, log: silentLog })
  started.defer(() => daemon.stop())

  const running = started.move()
  return { url: daemon.url, segment, refiner, stop: () => running.disposeAsync() }
}

function configure(folder: string, addresses: DemoAddresses): Configuration {
  const file = join(folder, 'refiner-sync.yaml')
  const read = readConfiguration({ file, text: demoYaml(addresses), environment: {} })
  if (read.ok) return read.configuration
  throw new Error(`reading the demo's configuration:\n${read.mistakes.map(formatMistake).join('\n')}`)
}
