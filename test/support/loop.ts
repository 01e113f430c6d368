import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/contracts/clock.ts'
import type { Configuration, DeliverySettings } from '../../src/contracts/configuration.ts'
import type { PluginHost } from '../../src/contracts/plugin-host.ts'
import { type Daemon, startDaemon } from '../../src/daemon.ts'
import type { ReloadResult } from '../../src/daemon/reloader.ts'
import { type RefinerStandIn, startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import type { Respond } from '../../src/demo/scripted-server.ts'
import { type SegmentStandIn, startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { type Log, silentLog } from '../../src/observe/log.ts'
import { NO_PLUGINS } from '../../src/plugins/load.ts'
import type { Project } from '../../src/project.ts'
import { testConfiguration, testTenant, type TenantSettings } from './configuration.ts'

/** A daemon between loopback peers, on a real database file. */
export interface Loop {
  readonly configuration: Configuration
  /** The one that runs now: `restart` replaces it. */
  readonly daemon: Daemon
  readonly segment: SegmentStandIn
  readonly refiner: RefinerStandIn
  /** Stops the daemon and starts one on the same file. */
  restart(): Promise<void>
  /** Makes the daemon read a configuration with these tenants and plugins; what is not given stays. */
  reload(next: { tenants?: Tenants; plugins?: PluginHost }): Promise<ReloadResult>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  [Symbol.asyncDispose](): Promise<void>
}

type Tenants = Readonly<Record<string, TenantSettings>>

export interface LoopOptions {
  readonly tenants?: Tenants
  readonly plugins?: PluginHost
  readonly log?: Log
  readonly clock?: Clock
  readonly delivery?: Partial<DeliverySettings>
  readonly adminToken?: string
  readonly maxPending?: number
  readonly segment?: Respond
  readonly refiner?: Respond
  /** Where the database is made, and left; without it, in a folder of its own. */
  readonly folder?: string
}

/** Starts the loop; the tenant is `acme` unless others are named. To be used with `await using`. */
export async function startLoop({
  tenants: first = { acme: {} },
  plugins = NO_PLUGINS,
  log = silentLog,
  clock,
  delivery,
  adminToken,
  maxPending,
  folder: given,
  ...peers
}: LoopOptions = {}): Promise<Loop> {
  const folder = given ?? mkdtempSync(join(tmpdir(), 'refiner-sync-test-'))
  const segment = startSegmentStandIn({ writeKeys: 'any', ...(peers.segment && { respond: peers.segment }) })
  const refiner = startRefinerStandIn({ apiKeys: 'any', ...(peers.refiner && { respond: peers.refiner }) })
  const configure = (tenants: Tenants): Configuration => {
    const made = testConfiguration(
      folder,
      Object.entries(tenants).map(([name, settings]) =>
        testTenant(name, {
          ...settings,
          segment: { endpoint: `${segment.url}/v1`, ...settings.segment },
          refiner: { endpoint: `${refiner.url}/v1`, ...settings.refiner },
        }),
      ),
      delivery,
    )
    const server = { ...made.server, ...(maxPending !== undefined && { maxPending }) }
    return { ...made, server: { ...server, adminToken: adminToken ?? null } }
  }
  let current = { configuration: configure(first), plugins }
  const load = (): Promise<Project> => Promise.resolve({ ok: true, ...current, warnings: [], files: [] })
  let daemon = await startDaemon({ ...current, load, log, ...(clock && { clock }) })
  return {
    get configuration() {
      return current.configuration
    },
    get daemon() {
      return daemon
    },
    segment,
    refiner,
    async restart() {
      await daemon.stop()
      daemon = await startDaemon({ ...current, load, log, ...(clock && { clock }) })
    },
    reload({ tenants, plugins }) {
      const configuration = tenants === undefined ? current.configuration : configure(tenants)
      current = { configuration, plugins: plugins ?? current.plugins }
      return daemon.reload()
    },
    post: (path, body, headers = {}) => postTo(daemon.url, path, body, headers),
    async [Symbol.asyncDispose]() {
      await daemon.stop()
      await segment.stop()
      await refiner.stop()
      if (given === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Posts a body: text and bytes as they are, everything else as JSON. */
export function postTo(
  url: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  })
}

/** The Authorization header as Segment sends it. */
export function basic(key: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` }
}

export function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` }
}

/** The longest that a test waits for something that is to happen. */
export function deadline(): AbortSignal {
  return AbortSignal.timeout(15_000)
}

/** Waits until `holds`, looking again after each turn of the event loop; fails at the deadline. */
export async function until(holds: () => boolean | Promise<boolean>, signal = deadline()): Promise<void> {
  while (!(await holds())) {
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A log that keeps what it is told, as lines of JSON. */
export function keptLog(): { log: Log; lines: string[] } {
  const lines: string[] = []
  const keep = (level: string) => (fields: object, message: string) =>
    void lines.push(JSON.stringify({ level, ...fields, message }))
  return { log: { debug() {}, info: keep('info'), warn: keep('warn'), error: keep('error') }, lines }
}
