import { Elysia } from 'elysia'
import { notFound, refusal } from './console/answers.ts'
import { monitoringRoutes } from './console/monitoring.ts'
import { operatorRoutes } from './console/operator.ts'
import { Tap } from './console/tap.ts'
import type { Cancel, Clock } from './contracts/clock.ts'
import type { Configuration } from './contracts/configuration.ts'
import type { Health, LaneStatus } from './contracts/health.ts'
import type { PluginHost } from './contracts/plugin-host.ts'
import { PeerClocks } from './clients/peer-clocks.ts'
import { createBackfilling } from './daemon/backfilling.ts'
import { Backlog } from './daemon/backlog.ts'
import { Forgetting } from './daemon/forgetting.ts'
import { createGeneration, type Generation, withFixedSettings } from './daemon/generation.ts'
import { Diagnosis } from './daemon/diagnosis.ts'
import { Housekeeper } from './daemon/housekeeper.ts'
import { LaneMaker, wayOf } from './daemon/lanes.ts'
import { operatorDeliveries } from './daemon/operator-deliveries.ts'
import { Polling } from './daemon/polling.ts'
import { readers } from './daemon/readers.ts'
import { operatorPeople } from './daemon/operator-people.ts'
import { operatorPrivacy } from './daemon/operator-privacy.ts'
import { operatorSegments } from './daemon/operator-segments.ts'
import { Reloader, type ReloadResult } from './daemon/reloader.ts'
import { tapMapped, tapSettled } from './daemon/tapped.ts'
import { type RuleFailures, tellMapped, tellSettled } from './daemon/telling.ts'
import { Dispatcher } from './dispatch/dispatcher.ts'
import type { Lane } from './dispatch/lane.ts'
import { Front } from './front/front.ts'
import { Mapper } from './mapping/mapper.ts'
import { readHealth } from './observe/health.ts'
import { type Log, faultText } from './observe/log.ts'
import { Metrics } from './observe/metrics.ts'
import { systemClock } from './observe/system-clock.ts'
import { NO_PLUGINS } from './plugins/load.ts'
import type { LoadedProject, Project } from './project.ts'
import { SegmentKeeper } from './segments/keeper.ts'
import { Counts } from './store/counts.ts'
import { GroupCommitAppender } from './store/inbox-appender.ts'
import { openStore, type Store } from './store/open.ts'
import { tenantsWithItems, tenantsWithUsers } from './store/users.ts'
import { databaseFault } from './store/probe.ts'
import { isForgotten } from './store/tombstones.ts'

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
  /**
   * Reads the configuration again and puts it in force without dropping a request; a wrong one changes nothing. Rejects
   * only for a fault of the program itself, or when it is stopping.
   */
  reload(): Promise<ReloadResult>
  /** Takes nothing new, ends what is under way, and closes the database. Nothing acknowledged is lost. */
  stop(): Promise<void>
}

export interface DaemonParts {
  readonly configuration: Configuration
  /** From here on the daemon's, which stops them. */
  readonly plugins?: PluginHost
  /** What it was all made of, to be watched for changes; without it, the files of the configuration alone. */
  readonly files?: readonly string[]
  /** When reading these began, in ms since 1970: what changed after it is read again. Without it, nothing is. */
  readonly readAt?: number
  /** Loads the configuration again; without it, it stays as it is. */
  readonly load?: () => Promise<Project>
  readonly log: Log
  readonly clock?: Clock
  readonly random?: () => number
}

/** Starts everything. Rejects, with nothing left running, when the port or the database cannot be had. */
export async function startDaemon(parts: DaemonParts): Promise<Daemon> {
  const { configuration, plugins = NO_PLUGINS, log, clock = systemClock, random = Math.random } = parts
  const metrics = new Metrics()
  const ruleFailures: RuleFailures = new Map()
  const tap = new Tap(clock)
  const reloader = await Reloader.create(
    {
      load: parts.load ?? (async () => unchanged(configuration, plugins)),
      apply,
      onReload: (result) => metrics.reloaded(result),
      clock,
      log,
    },
    { files: parts.files ?? configuration.files, readAt: parts.readAt ?? Infinity },
  )
  const startedAt = clock.now()
  const front = new Front({
    inbox: { append: (items) => inbox.append(items) },
    answer: (request) => routes.handle(request),
    log,
    clock,
  })
  const store = await openStore(configuration.database.path).catch((error: unknown) => giveUp(error))
  const onError = (doing: string) => (error: unknown) =>
    log.error({ fault: faultText(error) }, `${doing} failed`)
  const inbox = new GroupCommitAppender(store, clock, () => mapper.wake())
  const peerClocks = new PeerClocks(clock)
  const laneMaker = new LaneMaker({ store, clock, random, onSettled, onError, peerClocks })
  let generation: Generation
  try {
    generation = createGeneration(configuration, plugins)
  } catch (error) {
    return giveUp(error, store)
  }
  const lanes = laneMaker.lanesFor(configuration, [])
  const dispatcher = new Dispatcher(lanes, store, clock, onError('freeing lost deliveries'))
  const mapper = new Mapper(
    {
      store,
      clock,
      onMapped,
      onError: onError('mapping'),
      isFlooded: () => front.isFlooded,
      reserve: (tenant, destination) => dispatcher.lane(tenant, destination)?.reserve() ?? null,
    },
    generation.mappings,
  )

  const counts = new Counts(store, clock)
  const backlog = new Backlog({
    counts,
    clock,
    tenants: () => generation.configuration.tenants.keys(),
    most: () => generation.configuration.server.maxPending,
    turnAway: (full) => front.turnAway(full),
    onError: onError('counting what waits'),
  })

  const housekeeper = new Housekeeper(
    { store, clock, log, onError: onError('keeping house') },
    configuration.retention,
  )

  const reader = readers(
    () => generation.configuration,
    clock,
    (tenant) => laneMaker.rateOf(dispatcher.lane(tenant.name, 'refiner')),
  )
  const polling = new Polling({
    store,
    clock,
    reader,
    isForgotten: (tenant, person) => isForgotten(store, tenant, person),
    isFull: (name) =>
      backlog.full.some(({ tenant, source }) => tenant === name && source === 'refiner_webhook'),
    onFound(tenant, missed) {
      if (missed > 0) log.warn({ tenant, missed }, 'polling found responses that no webhook had brought')
      mapper.wake()
    },
    onFailure: (tenant, { reason }) => log.warn({ tenant, fault: reason }, 'polling Refiner failed'),
    onError: onError('polling Refiner'),
  })

  const { backfills, operated } = createBackfilling({
    store,
    clock,
    log,
    generation: () => generation,
    reader,
    isForgotten: (tenant, person) => isForgotten(store, tenant, person),
    isFlooded: () => front.isFlooded,
    wakeMapper: () => mapper.wake(),
    onError: onError('a backfill'),
  })

  const forgetting = new Forgetting({
    store,
    clock,
    log,
    tenant: (name) => generation.configuration.tenants.get(name),
    wakeLanes: (tenant) => dispatcher.wake(new Set([tenant])),
    onError: onError('forgetting'),
  })

  const segments = new SegmentKeeper({
    store,
    clock,
    log,
    onError: onError('looking at segments'),
    wakeMapper: () => mapper.wake(),
    isFlooded: () => front.isFlooded,
    waiting: (tenant) => counts.pending(tenant, 'segment') + counts.pending(tenant, 'refiner_webhook'),
    mostPending: () => generation.configuration.server.maxPending,
  })

  let stopping: Promise<void> | null = null
  const isStopping = () => stopping !== null
  const health = () =>
    readHealth({
      store,
      counts,
      full: backlog.full,
      tenants: generation.configuration.tenants,
      configuration: reloader.health,
      clock,
      startedAt,
      laneStatus: (tenant, destination) => dispatcher.lane(tenant, destination)?.status ?? NO_LANE,
      pollStatus: (tenant) => polling.status(tenant),
      segments: () => segments.status(),
      backfill: (tenant) => backfills.latest(tenant),
      ruleFailure: (tenant) => ruleFailures.get(tenant) ?? null,
      databaseFault: () => databaseFault(store, inbox.lastFailure),
    })
  const diagnosis = new Diagnosis({
    store,
    clock,
    health,
    full: () => backlog.full,
    databasePath: configuration.database.path,
    tenants: () => generation.configuration.tenants,
    clockAheadMs: (tenant, destination) => peerClocks.aheadOf(wayOf({ tenant, destination })),
    isStopping,
  })
  const routes = mainRoutes()
  // What looks at all that waits comes before the first request.
  dispatcher.recover()
  backlog.look()
  const { host: hostname, port: wantedPort } = configuration.server
  // Before anything is sent: a second daemon on the same configuration ends here.
  const port = await front.listen(hostname, wantedPort, configuration, store.disk).catch((error: unknown) => {
    const hint = 'is another program, or another refiner-sync, there? Stop it, or choose another server.port'
    return giveUp(
      new Error(`listening on ${hostname}:${wantedPort} failed: ${hint}`, { cause: error }),
      store,
    )
  })
  mapper.start()
  dispatcher.start()
  reloader.start()
  backlog.start()
  housekeeper.start()
  backfills.start()
  polling.start(generation.configuration)
  forgetting.start()
  segments.start(generation.configuration.tenants)
  const url = `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`
  log.info({ url, tenants: configuration.tenants.size }, 'ready')
  for (const { name: tenant, segment, refiner } of configuration.tenants.values()) {
    log.info({ tenant, segment: segment.endpoint, refiner: refiner.endpoint }, 'sends to')
  }
  return {
    url,
    health,
    async reload() {
      const result = await reloader.reload()
      if (!isStopping()) await front.configured()
      return result
    },
    stop: () => (stopping ??= shutDown()),
  }

  /** What the thread that speaks HTTP passes on. */
  function mainRoutes() {
    const operator = operatorRoutes({
      isAdmin: (token) => generation.isAdmin(token),
      isStopping,
      health,
      reload: () => reloader.reload(),
      tap,
      backfills: operated,
      diagnosis: () => diagnosis.facts(),
      deliveries: operatorDeliveries({
        store,
        clock,
        log,
        tap,
        isKnown: (tenant) => generation.configuration.tenants.has(tenant),
        wakeMapper: () => mapper.wake(),
        wakeLanes: (tenant) => dispatcher.wake(new Set([tenant])),
      }),
      privacy: operatorPrivacy({ store, clock, forgetting, tenants: () => allTenants() }),
      segments: operatorSegments({
        store,
        clock,
        keeper: segments,
        tenants: () => generation.configuration.tenants.keys(),
      }),
      people: operatorPeople({ store, clock, tenants: () => generation.configuration.tenants.keys() }),
    })
    const monitoring = monitoringRoutes({
      health,
      isStopping,
      metrics: async () => ({ text: await metrics.text(health()), contentType: metrics.contentType }),
    })
    // It sees to the routes that come after it.
    return new Elysia()
      .onError(({ code, error, request }) => {
        if (code === 'NOT_FOUND') return notFound(request)
        log.error({ fault: faultText(error) }, 'a request failed')
        return refusal(500, 'an error inside refiner-sync; its log says more')
      })
      .use(monitoring)
      .use(operator)
  }

  function allTenants(): readonly string[] {
    const named = generation.configuration.tenants.keys()
    return [...new Set([...named, ...tenantsWithUsers(store), ...tenantsWithItems(store)])]
  }

  function giveUp(error: unknown, opened?: Store): never {
    front.abandon()
    opened?.close()
    plugins.stop()
    throw error
  }

  /** All that can fail comes first; then one is exchanged for the other between two turns of the event loop. */
  function apply(project: LoadedProject): readonly string[] {
    const wanted = withFixedSettings(project.configuration, generation.configuration)
    const next = createGeneration(wanted.configuration, project.plugins)
    const nextLanes = laneMaker.lanesFor(wanted.configuration, dispatcher.lanes)
    const before = generation
    generation = next
    front.configure(wanted.configuration)
    mapper.swap(next.mappings)
    ruleFailures.clear()
    housekeeper.retain(wanted.configuration.retention)
    dispatcher.replace(nextLanes, SENDS_GRACE_MS)
    polling.replace(wanted.configuration)
    segments.replace(wanted.configuration.tenants)
    if (before.mappings.plugins !== project.plugins) before.mappings.plugins.stop()
    log.info({ tenants: wanted.configuration.tenants.size }, 'configuration reloaded')
    return wanted.needsRestart
  }

  async function shutDown(): Promise<void> {
    log.info({}, 'stopping')
    const tapEnded = tap.close()
    // Requests are answered 503 from here on; those under way are committed and answered.
    front.stopping()
    reloader.stop()
    backlog.stop()
    housekeeper.stop()
    const backfillsStopped = backfills.stop()
    polling.stop()
    segments.stop()
    mapper.stop()
    generation.mappings.plugins.stop()
    await forgetting.stop()
    await dispatcher.stop(SENDS_GRACE_MS)
    await tapEnded
    await backfillsStopped
    await requestsDone(front.drain())
    inbox.close()
    await front.close()
    store.close()
    log.info({}, 'stopped')
  }

  async function requestsDone(work: Promise<unknown>): Promise<void> {
    let cancel: Cancel = () => {}
    await Promise.race([
      work,
      new Promise<void>((resolve) => (cancel = clock.after(REQUESTS_GRACE_MS, resolve))),
    ])
    cancel()
  }

  function onMapped(mapped: Parameters<typeof tellMapped>[0]): void {
    tapMapped(tap, mapped)
    tellMapped(mapped, { log, metrics, ruleFailures, now: clock.now() })
    dispatcher.wake(new Set(mapped.map(({ item }) => item.tenant)))
    segments.wake()
    if (mapped.some(({ isForgotten }) => isForgotten)) forgetting.dropped()
    if (mapped.some(({ deliveries }) => deliveries.some(({ call }) => call === 'delete'))) forgetting.wake()
  }

  function onSettled(lane: Lane, settled: Parameters<typeof tellSettled>[1]): void {
    tapSettled(tap, lane, settled)
    tellSettled(lane, settled, log, metrics)
    if (settled.some(({ delivery }) => delivery.call === 'delete')) forgetting.sweepSoon()
    // What a lane that has been replaced settles lets the next of its users go, on the one in its place.
    if (dispatcher.lane(lane.tenant, lane.destination) !== lane) dispatcher.wake(new Set([lane.tenant]))
  }
}

function unchanged(configuration: Configuration, plugins: PluginHost): Project {
  return { ok: true, configuration, plugins, warnings: [], files: configuration.files }
}

const NO_LANE: LaneStatus = { state: 'ok', lastSuccessAt: null, lastError: null }
