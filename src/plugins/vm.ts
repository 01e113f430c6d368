import type {
  QuickJSContext,
  QuickJSHandle,
  QuickJSRuntime,
  QuickJSWASMModule,
} from 'quickjs-emscripten-core'
import type { PluginCall } from '../contracts/plugin-host.ts'
import { CALLING_MODULE, CONFINE_MODULE } from './glue.ts'
import { loadTime } from './load-time.ts'
import { readAnswer, readThrown } from './read-answer.ts'
import type { CallOutcome, Failure, LoadOutcome } from './outcome.ts'
import type { ThreadPlugin } from './thread-messages.ts'
import { VmFetches } from './vm-fetches.ts'

/** The name of a plugin's bundle in the sandbox's stacks. */
const BUNDLE_NAME = 'plugin.js'
/** Bytes of the engine's own stack: about 1,500 calls deep. More of it can exhaust the stack of the thread. */
const LARGEST_STACK = 256 * 1024
/** How long making an empty sandbox may take, in milliseconds; a bound for the sandbox itself, before the plugin. */
const SETUP_MS = 5000
/** How long reading the error of a call that ran out of time may take, in milliseconds. */
const READ_ERROR_MS = 20
/** Jobs that run between two looks at the clock. */
const JOBS_AT_ONCE = 64

/** The objects of a call after their lengths, so that the sandbox need not look for where they end. */
function inputOf({ interaction, messages }: PluginCall): string {
  const objects = [interaction, ...messages]
  return `${JSON.stringify(objects.map(({ length }) => length))}\x1e${objects.join('')}`
}

/** Tells the thread that the sandbox's code is about to run, and that it has returned. */
export interface Watch {
  enter(): void
  leave(): void
}

/**
 * One plugin in a sandbox, for one tenant. It makes one call at a time. Its methods throw, or reject, only when the engine
 * itself is broken, and then neither can be used any more.
 */
export class Vm {
  readonly #plugin: ThreadPlugin
  readonly #runtime: QuickJSRuntime
  readonly #context: QuickJSContext
  readonly #handles: QuickJSHandle[] = []
  #call: QuickJSHandle | null = null
  #settled: QuickJSHandle | null = null
  #adopt: QuickJSHandle | null = null
  #describe: QuickJSHandle | null = null
  #busy = false
  #deadline = 0
  #expired = false
  #body = ''
  readonly #fetches: VmFetches

  constructor(quickJs: QuickJSWASMModule, plugin: ThreadPlugin, tenant: string) {
    this.#plugin = plugin
    this.#runtime = quickJs.newRuntime()
    this.#runtime.setMemoryLimit(plugin.memoryBytes)
    this.#runtime.setMaxStackSize(LARGEST_STACK)
    this.#runtime.setInterruptHandler(() => {
      if (performance.now() < this.#deadline) return false
      this.#expired = true
      return true
    })
    this.#context = this.#runtime.newContext()
    this.#fetches = new VmFetches(this.#context, plugin.net)
    this.#begin(SETUP_MS)
    this.#prepare(tenant)
  }

  /** Evaluates the plugin's module, within its timeout. When it does not answer `loaded`, the sandbox is of no more use. */
  async load(watch: Watch): Promise<LoadOutcome> {
    if (this.#adopt === null) return { kind: 'out_of_memory' }
    this.#begin(loadTime(this.#plugin.timeoutMs))
    watch.enter()
    try {
      const result = this.#context.evalCode(this.#plugin.code, BUNDLE_NAME, { type: 'module' })
      if (result.error) return this.#failure(result.error)
      const module = this.#keep(result.value)
      for (;;) {
        const state = this.#context.getPromiseState(module)
        if (state.type === 'rejected') return this.#failure(state.error)
        if (state.type === 'fulfilled')
          return this.#takeModule(state.notAPromise ? module : this.#keep(state.value))
        const stopped = await this.#advance(watch)
        if (stopped !== null) return stopped
      }
    } finally {
      watch.leave()
      this.#end()
    }
  }

  /**
   * Calls the plugin. After any failure the sandbox must be thrown away: what the plugin left half done is still in it.
   * Answers at once unless the plugin waits for something from outside.
   */
  run(call: PluginCall, watch: Watch): CallOutcome | Promise<CallOutcome> {
    if (this.#call === null) return { kind: 'out_of_memory' }
    this.#begin(this.#plugin.timeoutMs)
    this.#body = call.body
    watch.enter()
    let outcome: CallOutcome | null = null
    try {
      const input = this.#context.newString(inputOf(call))
      const result = this.#context.callFunction(this.#call, this.#context.undefined, input)
      input.dispose()
      outcome = result.error ? this.#failure(result.error) : this.#read(result.value)
      if (outcome?.kind !== 'took_too_long' && this.#runJobs() === 'expired') outcome = this.#tooLong(null)
      outcome ??= this.#readSettled()
    } finally {
      watch.leave()
      if (outcome !== null) this.#end()
    }
    return outcome ?? this.#wait(watch)
  }

  /** Whether a call is under way. */
  get busy(): boolean {
    return this.#busy
  }

  /** Ends the sandbox. */
  dispose(): void {
    this.#end()
    for (const handle of this.#handles.toReversed()) if (handle.alive) handle.dispose()
    this.#context.dispose()
    this.#runtime.dispose()
  }

  async #wait(watch: Watch): Promise<CallOutcome> {
    try {
      for (;;) {
        const stopped = await this.#advance(watch)
        if (stopped !== null) return stopped
        const outcome = this.#readSettled()
        if (outcome !== null) return outcome
      }
    } finally {
      this.#end()
    }
  }

  /** Runs what can run, and waits for what comes from outside. Answers why there is nothing more to wait for, or null. */
  async #advance(watch: Watch): Promise<Failure | null> {
    watch.enter()
    const jobs = this.#runJobs()
    watch.leave()
    if (jobs === 'expired') return this.#tooLong(null)
    if (jobs === 'ran') return null
    if (this.#fetches.count === 0) {
      return { kind: 'unusable', what: 'returned a promise that never settles', detail: null }
    }
    await this.#fetches.next()
    return this.#expired || performance.now() >= this.#deadline ? this.#tooLong(null) : null
  }

  #runJobs(): 'none' | 'ran' | 'expired' {
    let ran: 'none' | 'ran' = 'none'
    while (this.#runtime.hasPendingJob()) {
      const result = this.#runtime.executePendingJobs(JOBS_AT_ONCE)
      result.dispose()
      ran = 'ran'
      if (this.#expired || performance.now() >= this.#deadline) return 'expired'
    }
    return ran
  }

  #begin(timeoutMs: number): void {
    this.#busy = true
    this.#expired = false
    this.#deadline = performance.now() + timeoutMs
  }

  /** What is still under way belongs to no call any more. */
  #end(): void {
    this.#busy = false
    this.#fetches.end()
  }

  #readSettled(): CallOutcome | null {
    if (this.#settled === null) return null
    const result = this.#context.callFunction(this.#settled, this.#context.undefined)
    return result.error ? this.#failure(result.error) : this.#read(result.value)
  }

  #read(answer: QuickJSHandle): CallOutcome | null {
    const text = this.#context.getString(answer)
    answer.dispose()
    return this.#expired ? this.#tooLong(null) : readAnswer(text)
  }

  #tooLong(stack: string | null): Failure {
    return { kind: 'took_too_long', stack }
  }

  /** Reads an error that nothing in the sandbox caught, and ends its handle. */
  #failure(error: QuickJSHandle): Failure {
    const expired = this.#expired
    try {
      if (this.#describe === null) return { kind: 'out_of_memory' }
      // Reading it may run the plugin's code: it gets a moment, and no more.
      if (expired) this.#begin(READ_ERROR_MS)
      const result = this.#context.callFunction(this.#describe, this.#context.undefined, error)
      if (result.error) {
        result.error.dispose()
        return expired ? this.#tooLong(null) : { kind: 'out_of_memory' }
      }
      const failure = readThrown(this.#context.getString(result.value))
      result.value.dispose()
      if (!expired) return failure
      return this.#tooLong(failure.kind === 'threw' ? failure.thrown.stack : null)
    } finally {
      this.#expired = expired
      error.dispose()
    }
  }

  #takeModule(module: QuickJSHandle): LoadOutcome {
    if (this.#adopt === null) return { kind: 'out_of_memory' }
    const result = this.#context.callFunction(this.#adopt, this.#context.undefined, module)
    if (result.error) return this.#failure(result.error)
    const missing = this.#context.getString(result.value)
    result.value.dispose()
    return missing === '' ? { kind: 'loaded' } : { kind: 'not_a_plugin', missing }
  }

  #keep(handle: QuickJSHandle): QuickJSHandle {
    this.#handles.push(handle)
    return handle
  }

  /** Leaves the handles null when the memory is not enough even for this. */
  #prepare(tenant: string): void {
    const { time, random, net, options, env } = this.#plugin
    const context = this.#context
    const randomId = this.#keep(
      context.newFunction('randomUUID', () => context.newString(crypto.randomUUID())),
    )
    const readBody = this.#keep(context.newFunction('body', () => context.newString(this.#body)))
    const startFetch = this.#keep(
      context.newFunction('fetch', (request) =>
        this.#fetches.start(request, this.#deadline - performance.now()),
      ),
    )
    const permit = this.#keep(context.newString(JSON.stringify({ time, random, net: net.length > 0 })))
    const settings = this.#keep(context.newString(JSON.stringify({ tenant, options, env })))
    const confined = this.#applyModule(CONFINE_MODULE, permit, startFetch, randomId)
    const calling = confined === null ? null : this.#applyModule(CALLING_MODULE, settings, readBody)
    if (calling === null) return
    this.#call = this.#keep(context.getProp(calling, 'call'))
    this.#settled = this.#keep(context.getProp(calling, 'settled'))
    this.#adopt = this.#keep(context.getProp(calling, 'adopt'))
    this.#describe = this.#keep(context.getProp(calling, 'describe'))
  }

  #applyModule(code: string, ...parts: QuickJSHandle[]): QuickJSHandle | null {
    const context = this.#context
    const evaluated = context.evalCode(code, 'refiner-sync', { type: 'module' })
    if (evaluated.error) return this.#keepNothing(evaluated.error)
    const start = this.#keep(context.getProp(this.#keep(evaluated.value), 'default'))
    const result = context.callFunction(start, context.undefined, ...parts)
    return result.error ? this.#keepNothing(result.error) : this.#keep(result.value)
  }

  #keepNothing(error: QuickJSHandle): null {
    error.dispose()
    return null
  }
}
