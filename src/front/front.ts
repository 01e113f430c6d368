import type { Clock } from '../contracts/clock.ts'
import type { Configuration } from '../contracts/configuration.ts'
import { type InboxAppender, type InboxItem, InboxUnavailable, type Source } from '../contracts/inbox.ts'
import { Doubts } from '../disk/doubts.ts'
import type { CommitDisk } from '../disk/wal-sync.ts'
import type { Log } from '../observe/log.ts'
import { startWorker } from '../threads/start-worker.ts'
import { type FromFront, type FrontSettings, type PlainRequest, type ToFront, wayOf } from './messages.ts'
import { WaitingRequests } from './waiting-requests.ts'

/** When so many requests wait at once, more are coming in than can be worked off meanwhile. */
const FLOOD_REQUESTS = 16
/** For how long after their answers more are to be expected. */
const FLOOD_LASTS_MS = 6

export interface FrontParts {
  readonly inbox: InboxAppender
  /** Answers what is not for intake. */
  readonly answer: (request: Request) => Promise<Response>
  readonly log: Log
  readonly clock: Pick<Clock, 'elapsed'>
}

/**
 * The thread that speaks HTTP, seen from the main thread. What it hands over is put on the disk here; so neither a slow
 * disk nor mapping keeps it from reading requests.
 */
export class Front {
  readonly #worker = startWorker('front/front-worker.ts')
  readonly #listening = Promise.withResolvers<number>()
  readonly #drained = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  #isListening = false
  /** Of each configuration that is on its way, in order, what to do when it is in force. */
  readonly #configuring: (() => void)[] = []
  #configured = Promise.resolve()
  #full = ''
  #doubts = new Doubts()
  readonly #waiting = new WaitingRequests()
  /** When there were last many, on the clock that is never set back. */
  #floodedAt = -Infinity

  /** Starts the thread, which loads while other things are done; it listens when it is told to. */
  constructor(private readonly parts: FrontParts) {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromFront>) => void this.#hear(data))
    this.#worker.addEventListener('error', ({ message }) => {
      parts.log.error({ fault: message }, 'the thread that speaks HTTP failed')
      const failure = new Error(`the thread that speaks HTTP failed: ${message}`)
      this.#listening.reject(failure)
      this.#drained.resolve()
      this.#closed.resolve()
      // A daemon that nobody can reach is of no use: it ends, and its service manager starts another.
      if (this.#isListening) throw failure
    })
    // Whoever starts it may give up before it is asked to listen.
    this.#listening.promise.catch(() => {})
  }

  /** The port it listens on. Rejects when it cannot. */
  listen(hostname: string, port: number, configuration: Configuration, disk: CommitDisk): Promise<number> {
    this.#doubts = new Doubts(disk.doubts)
    this.#post({
      kind: 'listen',
      hostname,
      port,
      settings: settingsOf(configuration),
      disk,
      waiting: this.#waiting.memory,
    })
    return this.#listening.promise
  }

  /** Whether requests flood in, those that are just answered and may come again included. */
  get isFlooded(): boolean {
    const now = this.parts.clock.elapsed()
    if (this.#waiting.count >= FLOOD_REQUESTS) this.#floodedAt = now
    return now - this.#floodedAt < FLOOD_LASTS_MS
  }

  /** Puts a configuration in force: what is answered from now on is answered by it. */
  configure(configuration: Configuration): void {
    this.#configured = new Promise((resolve) => this.#configuring.push(resolve))
    this.#post({ kind: 'configure', settings: settingsOf(configuration) })
  }

  /** Resolves when the last configuration is in force. */
  configured(): Promise<void> {
    return this.#configured
  }

  /** Items of these tenants and sources are turned away until it is called again without them. */
  turnAway(full: readonly Pick<InboxItem, 'tenant' | 'source'>[]): void {
    const ways = full.map(wayOf).toSorted()
    if (ways.join(' ') === this.#full) return
    this.#full = ways.join(' ')
    this.#post({ kind: 'full', ways })
  }

  /** New requests are answered 503 from here on. */
  stopping(): void {
    this.#post({ kind: 'stopping' })
  }

  /** Resolves when all requests under way are answered; takes no new connections. */
  drain(): Promise<void> {
    this.#post({ kind: 'drain' })
    return this.#drained.promise
  }

  /** Breaks off what is left, and ends the thread. */
  async close(): Promise<void> {
    this.#post({ kind: 'close' })
    await this.#closed.promise
    this.#worker.terminate()
  }

  /** Ends the thread as it is: it never listened. */
  abandon(): void {
    this.#worker.terminate()
  }

  #post(message: ToFront): void {
    this.#worker.postMessage(message)
  }

  async #hear(message: FromFront): Promise<void> {
    switch (message.kind) {
      case 'listening':
        this.#isListening = true
        this.#listening.resolve(message.port)
        return
      case 'configured':
        this.#configuring.shift()?.()
        return
      case 'failed':
        this.#listening.reject(new Error(message.message))
        return
      case 'keep':
        await this.#keep(message)
        return
      case 'ask':
        await this.#answer(message.id, message.request)
        return
      case 'log':
        this.parts.log[message.level](message.fields, message.message)
        return
      case 'drained':
        this.#drained.resolve()
        return
      case 'closed':
        this.#closed.resolve()
        return
    }
  }

  /** The groups of a message are given to the appender in the same turn, so that they share a commit. */
  async #keep({ id, groups, items }: FromFront & { kind: 'keep' }): Promise<void> {
    const { inbox, log } = this.parts
    const doubts = this.#doubts.count
    let at = 0
    const appends = groups.map((count) => {
      const group: InboxItem[] = []
      for (let n = 0; n < count; n++, at += 4) {
        const [tenant, source, dedupKey, payload] = [
          items[at]!,
          items[at + 1]!,
          items[at + 2]!,
          items[at + 3]!,
        ]
        group.push({ tenant, source: source as Source, dedupKey, payload })
      }
      log.debug({ tenant: group[0]?.tenant ?? '', items: count }, 'to be kept')
      return inbox.append(group)
    })
    const results = await Promise.allSettled(appends)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed === undefined) {
      const stored = results.map((result) => (result.status === 'fulfilled' ? result.value.stored : 0))
      this.#post({ kind: 'kept', id, stored, doubts })
    } else {
      const why: unknown = failed.reason
      if (!(why instanceof InboxUnavailable)) throw why
      this.#post({ kind: 'unkept', id, why: why.message })
    }
  }

  async #answer(id: number, { method, url, headers }: PlainRequest): Promise<void> {
    const request = new Request(url, { method, headers: headers.map(([name, value]) => [name, value]) })
    const response = await this.parts.answer(request)
    const { status } = response
    const answer = { status, headers: [...response.headers], body: await response.text() }
    this.#post({ kind: 'answered', id, answer })
  }
}

function settingsOf({ server: { maxBodyBytes }, tenants }: Configuration): FrontSettings {
  return {
    server: { maxBodyBytes },
    tenants: [...tenants.values()].map((tenant) => ({
      ...tenant,
      toSegment: { ...tenant.toSegment, mapping: [], plugins: [] },
      toRefiner: { ...tenant.toRefiner, mapping: [] },
    })),
  }
}
