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
import { newestDeliveries } from './store/outbox.ts'
import { databaseFault } from './store/probe.ts'

/** How long a stop waits for requests and sends under way. What is broken off then is sent again after the start. */
const GRACE_MS = 10_000

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
  const mapper = new Mapper(store, tenants, clock, (names) => dispatcher.wake(names), onError('mapping'))
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
    throw new Error(`listening on ${hostname}:${port}: ${faultText(error)}`, { cause: error })
  }
  const server = app.server!
  mapper.start()
  dispatcher.start()
  const url = `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${server.port}`
  log.info({ url, tenants: tenants.size }, 'ready')

  async function shutDown(): Promise<void> {
    log.info({}, 'stopping')
    // New requests are answered 503 from here on; those under way are committed and answered.
    const answered = server.stop()
    let cancel: Cancel = () => {}
    await Promise.race([answered, new Promise<void>((resolve) => (cancel = clock.after(GRACE_MS, resolve)))])
    cancel()
    inbox.close()
    mapper.stop()
    await dispatcher.stop(GRACE_MS)
    await server.stop(true)
    store.close()
    log.info({}, 'stopped')
  }
  return { url, health, stop: () => (stopping ??= shutDown()) }

  function createLanes(tenant: Tenant): Lane[] {
    return senders(tenant).map(([destination, sender]) => {
      return new Lane(tenant.name, destination, {
        store,
        sender,
        settings: configuration.delivery,
        clock,
        random,
        onSettled,
        onError: onError(`delivering to ${destination} for ${tenant.name}`),
      })
    })
  }

  function senders({ refiner, segment }: Tenant): [Destination, Sender][] {
    const { timeoutMs } = configuration.delivery
    const made: [Destination, Sender][] = []
    if (segment.writeKey !== '') {
      const turn = turns(segment.requestsPerSecond)
      const { endpoint, writeKey } = segment
      made.push(['segment', new SegmentTracking({ endpoint, writeKey, timeoutMs, turn, fetch, clock })])
    }
    if (refiner.apiKey !== '') {
      const turn = turns(refiner.requestsPerSecond)
      const { endpoint, apiKey } = refiner
      made.push(['refiner', new RefinerRest({ endpoint, apiKey, timeoutMs, turn, fetch, clock })])
    }
    return made
  }

  function turns(perSecond: number): () => Promise<void> {
    const limiter = new RateLimiter(perSecond, clock)
    return () => {
      const wait = limiter.take()
      return wait === 0 ? Promise.resolve() : new Promise((resolve) => clock.after(wait, resolve))
    }
  }

  function onSettled({ tenant, destination }: Lane, settled: readonly Settled[]): void {
    for (const { state } of settled)
      metrics.settled(tenant, destination, state === 'pending' ? 'retry' : state)
    const failed = settled.filter(({ state }) => state !== 'delivered')
    for (const [state, level] of [
      ['pending', 'warn'],
      ['dead', 'error'],
    ] as const) {
      const some = failed.filter((one) => one.state === state)
      const [first] = some
      if (!first) continue
      const fields = { tenant, destination, deliveries: some.length, reason: first.reason }
      log[level](fields, state === 'dead' ? 'given up, and kept' : 'to be tried again')
    }
  }
}

function laneStatus(lanes: readonly Lane[], tenant: string, destination: Destination): LaneStatus {
  const lane = lanes.find((one) => one.tenant === tenant && one.destination === destination)
  return lane?.status ?? { state: 'ok', lastSuccessAt: null, lastError: null }
}
