import type { PluginCall } from '../contracts/plugin-host.ts'
import type { CallOutcome, Failure, LoadOutcome } from './outcome.ts'
import { loadTime } from './load-time.ts'
import { startWorker } from '../threads/start-worker.ts'
import type { FromTrusted, ThreadPlugin, ToTrusted } from './thread-messages.ts'

/** How long an empty thread may take to start, in milliseconds. */
const START_MS = 10_000

/**
 * The main thread's side of the thread of one trusted plugin. Calls go one after the other. A call that takes too long, or
 * in which the thread ends, fails, and the next one runs in a new thread.
 */
export class TrustedThread {
  readonly #plugin: ThreadPlugin
  #worker: Worker | null = null
  /** Answers the one message that is under way. */
  #waiting: ((message: FromTrusted | Failure) => void) | null = null
  #last: Promise<unknown> = Promise.resolve()
  #stopped = false

  constructor(plugin: ThreadPlugin) {
    this.#plugin = plugin
  }

  /** Starts the thread and loads the plugin in it. */
  load(): Promise<LoadOutcome> {
    return this.#inTurn(() => this.#start())
  }

  /** One outcome for each call, in order. */
  async run(tenant: string, calls: readonly PluginCall[]): Promise<readonly CallOutcome[]> {
    const outcomes: CallOutcome[] = []
    // Each call waits in turn, not the batch: another tenant's calls come in between.
    for (const call of calls) outcomes.push(await this.#inTurn(() => this.#runOne(tenant, call)))
    return outcomes
  }

  /** Ends the thread for good. */
  stop(): void {
    this.#stopped = true
    this.#end({ kind: 'broke', what: 'was stopped' })
  }

  #inTurn<Outcome>(work: () => Promise<Outcome>): Promise<Outcome> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #runOne(tenant: string, call: PluginCall): Promise<CallOutcome> {
    if (this.#worker === null) {
      const loaded = await this.#start()
      if (loaded.kind === 'not_a_plugin')
        return { kind: 'unusable', what: `has ${loaded.missing}`, detail: null }
      if (loaded.kind !== 'loaded') return loaded
    }
    const answer = await this.#ask({ kind: 'run', tenant, call }, this.#plugin.timeoutMs)
    return answer.kind === 'outcome' ? answer.outcome : failureOf(answer)
  }

  async #start(): Promise<LoadOutcome> {
    if (this.#stopped) return { kind: 'broke', what: 'was stopped' }
    const worker = startWorker('plugins/trusted-worker.ts')
    this.#worker = worker
    const what = 'ended its thread'
    worker.addEventListener('message', (event: MessageEvent<FromTrusted>) => {
      if (worker === this.#worker) this.#take(event.data)
    })
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      if (worker === this.#worker) this.#end({ kind: 'broke', what })
    })
    worker.addEventListener('close', () => {
      if (worker === this.#worker) this.#end({ kind: 'broke', what })
    })
    const ready = await this.#ask(null, START_MS)
    if (ready.kind !== 'ready') return failureOf(ready)
    const answer = await this.#ask({ kind: 'load', plugin: this.#plugin }, loadTime(this.#plugin.timeoutMs))
    if (answer.kind !== 'loaded') return failureOf(answer)
    if (answer.outcome.kind !== 'loaded') this.#end({ kind: 'broke', what })
    return answer.outcome
  }

  /** Sends a message and waits for what comes next, or for the thread to end, which it does when it takes too long. */
  async #ask(message: ToTrusted | null, timeoutMs: number): Promise<FromTrusted | Failure> {
    const { promise, resolve } = Promise.withResolvers<FromTrusted | Failure>()
    this.#waiting = resolve
    const timer = setTimeout(() => this.#end({ kind: 'took_too_long', stack: null }), timeoutMs)
    if (message !== null) this.#worker?.postMessage(message)
    const answer = await promise
    clearTimeout(timer)
    return answer
  }

  #take(message: FromTrusted): void {
    if (message.kind === 'crashed') this.#end(message.outcome)
    else this.#answer(message)
  }

  #end(failure: Failure): void {
    this.#worker?.terminate()
    this.#worker = null
    this.#answer(failure)
  }

  #answer(message: FromTrusted | Failure): void {
    const resolve = this.#waiting
    this.#waiting = null
    resolve?.(message)
  }
}

function failureOf(answer: FromTrusted | Failure): Failure {
  switch (answer.kind) {
    case 'ready':
    case 'loaded':
    case 'outcome':
    case 'crashed':
      return { kind: 'broke', what: 'answered something else than it was asked' }
    case 'threw':
    case 'took_too_long':
    case 'out_of_memory':
    case 'unusable':
    case 'broke':
      return answer
  }
}
