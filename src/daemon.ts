import { RefinerRest } from './clients/refiner-rest.ts'
import { SegmentTracking } from './clients/segment-tracking.ts'
import type { Cancel, Clock } from './contracts/clock.ts'
import type { Configuration, Tenant } from './contracts/configuration.ts'
import type { Destination, Sender } from './contracts/delivery.ts'
import type { Health, LaneStatus } from './contracts/health.ts'
import { Dispatcher } from './dispatch/dispatcher.ts'
import { Lane } from './dispatch/lane.ts'
import { RateLimiter } from './dispatch/rate-limiter.ts'
import type { Settled } from './dispatch/settle.ts'
import { operatorRoutes } from './console/operator.ts'
import { adminCheck, createServer } from './intake/server.ts'
import { Mapper } from './mapping/mapper.ts'
import { readHealth } from './observe/health.ts'
import { type Log, faultText } from './observe/log.ts'
import { Metrics } from './observe/metrics.ts'
import { systemClock } from './observe/system-clock.ts'
import { GroupCommitAppender } from './store/inbox-appender.ts'
import { openStore } from './store/open.ts'
import type { MappedItem } from './store/record-mapped.ts'
import { newestDeliveries } from './store/outbox.ts'
import { databaseFault } from './store/probe.ts'

/**
 * How long a stop waits for sends under way, and then for requests: together less than the 10 s after which containers
 * are killed. What is broken off is sent again after the start.
 */
const SENDS_GRACE_MS = 7000
const REQUESTS_GRACE_MS = 1500

export interface Daemon {
  /** Where it listens, such as http://127.0.0.1:8787. */
  readonly url: string
  health(): Health
  /** Takes nothing new, ends what is under way, and closes the database. Nothing acknowledged is lost. */
  stop(): Promise<void>
}

/** Starts everything. Rejects, with nothing left running, when the port or the database cannot be had. */
export async function startDaemon(parts: {
  configuration: Configuration
  log: Log
  clock?: Clock
  random?: () => number
}): Promise<Daemon> {
  const { configuration, log, clock = systemClock, random = Math.random } = parts
  const { tenants } = configuration
  const startedAt = clock.now()
  const store = await openStore(configuration.database.path)
  const metrics = new Metrics()
  const onError = (doing: string) => (error: unknown) =>
    log.error({ fault: faultText(error) }, `${doing} failed`)

  const lanes = [...tenants.values()].flatMap((tenant) => createLanes(tenant))
  const dispatcher = new Dispatcher(lanes, store, clock, onError('freeing lost deliveries'))
  const mapper = new Mapper(store, tenants, clock, onMapped, onError('mapping'))
  const inbox = new GroupCommitAppender(store, clock, () => mapper.wake())

  let stopping: Promise<void> | null = null
  const health = () =>
    readHealth({
      store,
      tenants,
      clock,
      startedAt,
      laneStatus: (tenant, destination) => laneStatus(lanes, tenant, destination),
      databaseFault: () => (inbox.lastFailure === null ? null : databaseFault(store)),
    })
  const app = createServer({
    settings: configuration.server,
    tenants,
    inbox,
    health,
    metrics,
    log,
    isStopping: () => stopping !== null,
  }).use(
    operatorRoutes({
      isAdmin: adminCheck(configuration.server),
      health,
      deliveries: (limit) => newestDeliveries(store, { limit }),
    }),
  )
  const { host: hostname, port } = configuration.server
  try {
    // Before anything is sent: a second daemon on the same configuration ends here.
    app.listen({ hostname, port })
  } catch (error) {
    store.close()
    const hint = 'is another program, or another refiner-sync, there? Stop it, or choose another server.port'
    throw new Error(`listening on ${hostname}:${port} failed: ${hint}`, { cause: error })
  }
  const server = app.server!
  mapper.start()
  dispatcher.start()
  const url = `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${server.port}`
  log.info({ url, tenants: tenants.size }, 'ready')
  for (const { name: tenant, segment, refiner } of tenants.values()) {
    log.info({ tenant, segment: segment.endpoint, refiner: refiner.endpoint }, 'sends to')
  }

  async function shutDown(): Promise<void> {
    log.info({}, 'stopping')
    // Requests are answered 503 from here on; those under way are committed and answered.
    mapper.stop()
    await dispatcher.stop(SENDS_GRACE_MS)
    await requestsDone(server.stop())
    inbox.close()
    await server.stop(true)
    store.close()
    log.info({}, 'stopped')
  }
  return { url, health, stop: () => (stopping ??= shutDown()) }

  async function requestsDone(work: Promise<unknown>): Promise<void> {
    let cancel: Cancel = () => {}
    await Promise.race([
      work,
      new Promise<void>((resolve) => (cancel = clock.after(REQUESTS_GRACE_MS, resolve))),
    ])
    cancel()
  }

  function createLanes({ name, segment, refiner }: Tenant): Lane[] {
    const { delivery } = configuration
    const parts = { timeoutMs: delivery.timeoutMs, fetch, clock }
    const made: Lane[] = []
    const add = (destination: Destination, rate: RateLimiter, sender: Sender) => {
      const failed = onError(`delivering to ${destination} for ${name}`)
      const shared = { store, settings: delivery, clock, random, onSettled, onError: failed }
      made.push(new Lane(name, destination, { ...shared, sender, rate }))
    }
    if (segment.writeKey !== '') {
      const rate = new RateLimiter(segment.requestsPerSecond, clock)
      const turn = (signal: AbortSignal) => waitUnless(signal, rate.take(), clock)
      const { endpoint, writeKey: key } = segment
      add('segment', rate, new SegmentTracking({ ...parts, endpoint, key, turn }))
    }
    if (refiner.apiKey !== '') {
      const rate = new RateLimiter(refiner.requestsPerSecond, clock)
      const { endpoint, apiKey: key } = refiner
      add('refiner', rate, new RefinerRest({ ...parts, endpoint, key }))
    }
    return made
  }

  function onMapped(mapped: readonly MappedItem[]): void {
    for (const { item, deliveries } of mapped) {
      for (const { destination, call, state, reason } of deliveries) {
        const fields = { tenant: item.tenant, destination, call, reason }
        log.debug(fields, `mapped: ${state}`)
        if (state === 'dead') log.error(fields, 'not to be sent, and kept')
        if (state !== 'pending') metrics.settled(item.tenant, destination, state)
      }
    }
    dispatcher.wake(new Set(mapped.map(({ item }) => item.tenant)))
  }

  function onSettled({ tenant, destination }: Lane, settled: readonly Settled[]): void {
    for (const { state } of settled)
      metrics.settled(tenant, destination, state === 'pending' ? 'retry' : state)
    for (const [state, level, message] of SETTLED_LOG) {
      const some = settled.filter((one) => one.state === state)
      const [first] = some
      if (first) log[level]({ tenant, destination, deliveries: some.length, reason: first.reason }, message)
    }
  }
}

/** What the log says of what became of deliveries. */
const SETTLED_LOG = [
  ['delivered', 'debug', 'delivered'],
  ['pending', 'warn', 'to be tried again'],
  ['dead', 'error', 'given up, and kept'],
] as const

function laneStatus(lanes: readonly Lane[], tenant: string, destination: Destination): LaneStatus {
  const lane = lanes.find((one) => one.tenant === tenant && one.destination === destination)
  return lane?.status ?? { state: 'ok', lastSuccessAt: null, lastError: null }
}

/** Whether `ms` milliseconds passed before the signal came. */
function waitUnless(signal: AbortSignal, ms: number, clock: Clock): Promise<boolean> {
  if (signal.aborted || ms === 0) return Promise.resolve(!signal.aborted)
  return new Promise((resolve) => {
    const stop = () => {
      cancel()
      resolve(false)
    }
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', stop)
      resolve(true)
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}
