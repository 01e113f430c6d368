import type { PluginCall } from '../contracts/plugin-host.ts'
import type { CallOutcome, Failure, LoadOutcome } from './outcome.ts'
import { type CurrentCall, ProgressWriter, readProgress } from './progress.ts'
import { RunningBatch } from './running-batch.ts'
import { startWorker } from '../threads/start-worker.ts'
import type { FromSandbox, ThreadPlugin, ToSandbox } from './thread-messages.ts'

/** How often the thread is looked at while it has something to do, in milliseconds. */
const LOOK_MS = 250
/** How much longer than its timeout a call may hold the thread before the thread is given up, in milliseconds. */
const GRACE_MS = 2000
/** How often the thread may end before it is ready, or with work whose fault that may be, until that work is given up. */
const MOST_STARTS = 3

interface Loading {
  readonly plugin: ThreadPlugin
  readonly resolve: (outcome: LoadOutcome) => void
  starts: number
}

/**
 * The main thread's side of the thread in which all sandboxed plugins run. The thread starts with the first `load`. When it
 * hangs or ends, it is started again: the call it was in fails, what waited is sent again.
 */
export class SandboxThread {
  readonly #plugins = new Map<string, ThreadPlugin>()
  readonly #loading = new Map<number, Loading>()
  readonly #running = new Map<number, RunningBatch>()
  #worker: Worker | null = null
  #progress = new SharedArrayBuffer(ProgressWriter.BYTES)
  #ready = false
  #stopped = false
  #lastId = 0
  #looks: ReturnType<typeof setInterval> | null = null
  /** The step that the last look found the thread in, and how many looks in a row did. */
  #seen = { step: 0, looks: 0 }

  /** Loads a plugin. It can be called from then on, whatever the outcome. */
  load(plugin: ThreadPlugin): Promise<LoadOutcome> {
    const { promise, resolve } = Promise.withResolvers<LoadOutcome>()
    this.#plugins.set(plugin.name, plugin)
    this.#sendLoading({ plugin, resolve, starts: 0 })
    return promise
  }

  /** One outcome for each call, in order. */
  run(name: string, tenant: string, calls: readonly PluginCall[]): Promise<readonly CallOutcome[]> {
    const plugin = this.#plugins.get(name)
    if (plugin === undefined || this.#stopped) {
      return Promise.resolve(calls.map(() => ({ kind: 'broke', what: 'is not loaded' })))
    }
    const { promise, resolve } = Promise.withResolvers<readonly CallOutcome[]>()
    this.#sendRunning(new RunningBatch(plugin, tenant, calls, resolve))
    return promise
  }

  /** Ends the thread for good. */
  stop(): void {
    this.#stopped = true
    this.#rest()
    this.#worker?.terminate()
    this.#worker = null
  }

  #sendLoading(loading: Loading): void {
    const id = (this.#lastId += 1)
    this.#loading.set(id, loading)
    this.#send({ kind: 'load', id, plugin: loading.plugin })
  }

  #sendRunning(batch: RunningBatch): void {
    const calls = batch.nextPart()
    if (calls === null) return
    const id = (this.#lastId += 1)
    this.#running.set(id, batch)
    this.#send({ kind: 'run', id, plugin: batch.plugin.name, tenant: batch.tenant, calls })
  }

  #send(message: ToSandbox): void {
    if (this.#worker === null) this.#start()
    else if (this.#ready) this.#worker.postMessage(message)
    this.#looks ??= setInterval(() => this.#look(), LOOK_MS)
  }

  #start(): void {
    const worker = startWorker('plugins/sandbox-worker.ts')
    this.#worker = worker
    this.#ready = false
    this.#progress = new SharedArrayBuffer(ProgressWriter.BYTES)
    worker.addEventListener('message', (event: MessageEvent<FromSandbox>) => {
      if (worker === this.#worker) this.#take(worker, event.data)
    })
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      this.#ended(worker, 'crashed the sandbox')
    })
    worker.addEventListener('close', () => this.#ended(worker, 'crashed the sandbox'))
  }

  #take(worker: Worker, message: FromSandbox): void {
    switch (message.kind) {
      case 'ready':
        this.#begin(worker)
        break
      case 'loaded':
        this.#loading.get(message.id)?.resolve(message.outcome)
        this.#loading.delete(message.id)
        break
      case 'outcomes':
        this.#add(message.id, message.outcomes)
        break
    }
    if (this.#loading.size === 0 && this.#running.size === 0) this.#rest()
  }

  /** What came up while the thread started, or was under way in the one before. */
  #begin(worker: Worker): void {
    this.#ready = true
    const start: ToSandbox = { kind: 'start', progress: this.#progress, plugins: [...this.#plugins.values()] }
    worker.postMessage(start)
    const loading = [...this.#loading.values()]
    const running = [...this.#running.values()]
    this.#loading.clear()
    this.#running.clear()
    for (const one of loading) this.#sendLoading(one)
    for (const one of running) this.#sendRunning(one)
  }

  #add(id: number, outcomes: readonly CallOutcome[]): void {
    const batch = this.#running.get(id)
    if (batch === undefined || !batch.add(outcomes)) return
    this.#running.delete(id)
    this.#sendRunning(batch)
  }

  #look(): void {
    const current = readProgress(this.#progress)
    if (current === null || current.step !== this.#seen.step) {
      this.#seen = { step: current?.step ?? 0, looks: 0 }
      return
    }
    // Looks are counted, not milliseconds: a machine that was asleep has not looked.
    this.#seen.looks += 1
    const plugin = (this.#running.get(current.batch) ?? this.#loading.get(current.batch))?.plugin
    const longest = (plugin?.timeoutMs ?? 0) + GRACE_MS
    if (this.#seen.looks * LOOK_MS < longest || this.#worker === null) return
    this.#ended(this.#worker, 'did not respond')
  }

  #ended(worker: Worker, what: string): void {
    if (worker !== this.#worker) return
    this.#worker = null
    worker.terminate()
    const current = readProgress(this.#progress)
    if (current !== null) this.#blame(current, { kind: 'broke', what })
    else this.#countStarts()
    this.#seen = { step: 0, looks: 0 }
    if (this.#loading.size > 0 || this.#running.size > 0) this.#start()
    else this.#rest()
  }

  #blame({ batch, index }: CurrentCall, failure: Failure): void {
    this.#loading.get(batch)?.resolve(failure)
    this.#loading.delete(batch)
    this.#running.get(batch)?.blame(index, failure)
  }

  /** The thread ended outside of any call: nothing is to blame, but that must not go on for ever. */
  #countStarts(): void {
    const failure: Failure = { kind: 'broke', what: 'has no sandbox: it does not start' }
    for (const [id, loading] of this.#loading) {
      loading.starts += 1
      if (loading.starts < MOST_STARTS) continue
      this.#loading.delete(id)
      loading.resolve(failure)
    }
    for (const [id, batch] of this.#running) {
      batch.starts += 1
      if (batch.starts < MOST_STARTS) continue
      this.#running.delete(id)
      batch.giveUp(failure)
    }
  }

  #rest(): void {
    if (this.#looks !== null) clearInterval(this.#looks)
    this.#looks = null
  }
}
