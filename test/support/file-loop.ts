import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/contracts/clock.ts'
import { type Daemon, startDaemon } from '../../src/daemon.ts'
import { type RefinerStandIn, startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import type { Respond } from '../../src/demo/scripted-server.ts'
import { type SegmentStandIn, startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { loadProject } from '../../src/project.ts'
import { keptLog } from './loop.ts'

interface FileTenant {
  readonly writeKey?: string
  readonly plugins?: readonly string[]
  /** Put into its `to_segment`, as it is. */
  readonly more?: string
}

/** What stands in the file, with tenants by name. */
export interface FileSettings {
  readonly tenants: Readonly<Record<string, FileTenant>>
  readonly port?: number
  /** Put at the end of the file, as it is. */
  readonly more?: string
}

/** A daemon on a real refiner-sync.yaml, between loopback peers. */
export interface FileLoop {
  readonly file: string
  readonly daemon: Daemon
  readonly segment: SegmentStandIn
  readonly refiner: RefinerStandIn
  /** What the log has said, as lines of JSON. */
  readonly log: readonly string[]
  write(settings: FileSettings): void
  [Symbol.asyncDispose](): Promise<void>
}

export interface FileLoopOptions {
  readonly clock?: Clock
  readonly segment?: Respond
  /** Texts of further files beside it, by name. */
  readonly files?: Readonly<Record<string, string>>
}

export const ADMIN_TOKEN = 'the-admin-token-of-the-test'

export async function startFileLoop(
  settings: FileSettings,
  options: FileLoopOptions = {},
): Promise<FileLoop> {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-file-'))
  const segment = startSegmentStandIn({
    writeKeys: 'any',
    ...(options.segment && { respond: options.segment }),
  })
  const refiner = startRefinerStandIn({ apiKeys: 'any' })
  const file = join(folder, 'refiner-sync.yaml')
  const write = (next: FileSettings) => {
    writeFileSync(`${file}.new`, fileText(next, { segment: segment.url, refiner: refiner.url }))
    renameSync(`${file}.new`, file)
  }
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(folder, name), text)
  write(settings)
  const load = () => loadProject(file, {})
  const project = await load()
  if (!project.ok) throw new Error(JSON.stringify(project.mistakes))
  const { log, lines } = keptLog()
  const { clock } = options
  const daemon = await startDaemon({ ...project, load, log, ...(clock && { clock }) })
  return {
    file,
    daemon,
    segment,
    refiner,
    log: lines,
    write,
    async [Symbol.asyncDispose]() {
      await daemon.stop()
      await segment.stop()
      await refiner.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A refiner-sync.yaml for these tenants, with invented keys that hold their names. */
export function fileText(
  { tenants, port = 0, more = '' }: FileSettings,
  peers: { segment: string; refiner: string },
): string {
  const blocks = Object.entries(tenants).map(
    ([name, { writeKey = `${name}-write-key`, plugins = [], more: own = '' }]) => `
  ${name}:
    refiner:
      api_key: ${name}-refiner-key
      endpoint: ${peers.refiner}/v1
      webhook: { secret: ${name}-webhook-secret, in: bearer }
      rate_limit: 1000/s
    segment:
      write_key: ${writeKey}
      endpoint: ${peers.segment}/v1
      destination_keys: [${name}-destination-key]
      rate_limit: 1000/s
    to_segment: { plugins: ${JSON.stringify(plugins)}${own === '' ? '' : `, ${own}`} }`,
  )
  return `
server: { port: ${port}, admin_token: ${ADMIN_TOKEN} }
database: sqlite://./data/refiner-sync.db
delivery: { min_backoff: 20ms, max_backoff: 200ms, timeout: 2s }
tenants:${blocks.join('')}
${more}`
}
