import { operatorRoutes } from './console/operator.ts'
import type { Cancel, Clock } from './contracts/clock.ts'
import type { Configuration } from './contracts/configuration.ts'
import type { Health, LaneStatus } from './contracts/health.ts'
import type { PluginHost } from './contracts/plugin-host.ts'
import { createGeneration, type Generation, withFixedSettings } from './daemon/generation.ts'
import { LaneMaker } from './daemon/lanes.ts'
import { operatorDeliveries } from './daemon/operator-deliveries.ts'
import { Reloader, type ReloadResult } from './daemon/reloader.ts'
import { type RuleFailures, tellMapped, tellSettled } from './daemon/telling.ts'
import { Dispatcher } from './dispatch/dispatcher.ts'
import type { Lane } from './dispatch/lane.ts'
import { createServer } from './intake/server.ts'
import { Mapper } from './mapping/mapper.ts'
import { readHealth } from './observe/health.ts'
import { type Log, faultText } from './observe/log.ts'
import { Metrics } from './observe/metrics.ts'
import { systemClock } from './observe/system-clock.ts'
import { NO_PLUGINS } from './plugins/load.ts'
import type { LoadedProject, Project } from './project.ts'
import { GroupCommitAppender } from './store/inbox-appender.ts'
import { openStore, type Store } from './store/open.ts'
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
  const store = await openStore(configuration.database.path).catch((error: unknown) => giveUp(error))
  const onError = (doing: string) => (error: unknown) =>
    log.error({ fault: faultText(error) }, `${doing} failed`)
  const inbox = new GroupCommitAppender(store, clock, () => mapper.wake())
  const laneMaker = new LaneMaker({ store, clock, random, onSettled, onError })
  let generation: Generation
  try {
    generation = createGeneration(configuration, plugins, inbox)
  } catch (error) {
    return giveUp(error, store)
  }
  const lanes = laneMaker.lanesFor(configuration, [])
  const dispatcher = new Dispatcher(lanes, store, clock, onError('freeing lost deliveries'))
  const mapper = new Mapper({ store, clock, onMapped, onError: onError('mapping') }, generation.mappings)

  let stopping: Promise<void> | null = null
  const isStopping = () => stopping !== null
  const health = () =>
    readHealth({
      store,
      tenants: generation.configuration.tenants,
      configuration: reloader.health,
      clock,
      startedAt,
      laneStatus: (tenant, destination) => dispatcher.lane(tenant, destination)?.status ?? NO_LANE,
      ruleFailure: (tenant) => ruleFailures.get(tenant) ?? null,
      databaseFault: () => databaseFault(store, inbox.lastFailure),
    })
  const app = createServer({ intake: () => generation.intake, health, metrics, log, isStopping }).use(
    operatorRoutes({
      isAdmin: (token) => generation.isAdmin(token),
      isStopping,
      health,
      reload: () => reloader.reload(),
      deliveries: operatorDeliveries({
        store,
        clock,
        log,
        isKnown: (tenant) => generation.configuration.tenants.has(tenant),
        wakeMapper: () => mapper.wake(),
        wakeLanes: (tenant) => dispatcher.wake(new Set([tenant])),
      }),
    }),
  )
  const { host: hostname, port } = configuration.server
  try {
    // Before anything is sent: a second daemon on the same configuration ends here.
    app.listen({ hostname, port })
  } catch (error) {
    const hint = 'is another program, or another refiner-sync, there? Stop it, or choose another server.port'
    return giveUp(new Error(`listening on ${hostname}:${port} failed: ${hint}`, { cause: error }), store)
  }
  const server = app.server!
  mapper.start()
  dispatcher.start()
  reloader.start()
  const url = `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${server.port}`
  log.info({ url, tenants: configuration.tenants.size }, 'ready')
  for (const { name: tenant, segment, refiner } of configuration.tenants.values()) {
    log.info({ tenant, segment: segment.endpoint, refiner: refiner.endpoint }, 'sends to')
  }
  return {
    url,
    health,
    reload: () => reloader.reload(),
    stop: () => (stopping ??= shutDown()),
  }

  function giveUp(error: unknown, opened?: Store): never {
    opened?.close()
    plugins.stop()
    throw error
  }

  /** All that can fail comes first; then one is exchanged for the other between two turns of the event loop. */
  function apply(project: LoadedProject): readonly string[] {
    const wanted = withFixedSettings(project.configuration, generation.configuration)
    const next = createGeneration(wanted.configuration, project.plugins, inbox)
    const nextLanes = laneMaker.lanesFor(wanted.configuration, dispatcher.lanes)
    const before = generation
    generation = next
    mapper.swap(next.mappings)
    ruleFailures.clear()
    dispatcher.replace(nextLanes, SENDS_GRACE_MS)
    if (before.mappings.plugins !== project.plugins) before.mappings.plugins.stop()
    log.info({ tenants: wanted.configuration.tenants.size }, 'configuration reloaded')
    return wanted.needsRestart
  }

  async function shutDown(): Promise<void> {
    log.info({}, 'stopping')
    // Requests are answered 503 from here on; those under way are committed and answered.
    reloader.stop()
    mapper.stop()
    generation.mappings.plugins.stop()
    await dispatcher.stop(SENDS_GRACE_MS)
    await requestsDone(server.stop())
    inbox.close()
    await server.stop(true)
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
    tellMapped(mapped, { log, metrics, ruleFailures, now: clock.now() })
    dispatcher.wake(new Set(mapped.map(({ item }) => item.tenant)))
  }

  function onSettled(lane: Lane, settled: Parameters<typeof tellSettled>[1]): void {
    tellSettled(lane, settled, log, metrics)
    // What a lane that has been replaced settles lets the next of its users go, on the one in its place.
    if (dispatcher.lane(lane.tenant, lane.destination) !== lane) dispatcher.wake(new Set([lane.tenant]))
  }
}

function unchanged(configuration: Configuration, plugins: PluginHost): Project {
  return { ok: true, configuration, plugins, warnings: [], files: configuration.files }
}

const NO_LANE: LaneStatus = { state: 'ok', lastSuccessAt: null, lastError: null }
