import type { QuickJSWASMModule } from 'quickjs-emscripten-core'
import type { PluginCall } from '../contracts/plugin-host.ts'
import type { CallOutcome, Failure, LoadOutcome } from './outcome.ts'
import { QuickJsMemoryError, startQuickJs } from './quickjs.ts'
import type { ThreadPlugin } from './thread-messages.ts'
import { Vm, type Watch } from './vm.ts'

/** The most sandboxes that are kept between calls; beyond it the one that was not called for longest goes. */
const MOST_KEPT = 256

interface Sandbox {
  readonly quickJs: QuickJSWASMModule
  /** Null after a call that failed: the next one starts afresh. */
  vm: Vm | null
}

/** The sandboxes of this thread: each plugin has one for each tenant, with an engine and memory of its own. */
export class Sandboxes {
  readonly #kept = new Map<string, Sandbox>()

  /** Loads a plugin once, in a sandbox that is thrown away. */
  async check(plugin: ThreadPlugin, watch: Watch): Promise<LoadOutcome> {
    try {
      return await new Vm(await startQuickJs(plugin.memoryBytes), plugin, '').load(watch)
    } catch (error) {
      watch.leave()
      return brokenBy(error)
    }
  }

  /**
   * Calls a plugin for a tenant; never two calls at a time for the same two. Answers at once unless a sandbox must be made
   * or the plugin waits for something.
   */
  run(
    plugin: ThreadPlugin,
    tenant: string,
    call: PluginCall,
    watch: Watch,
  ): CallOutcome | Promise<CallOutcome> {
    const key = `${plugin.name}\n${tenant}`
    const sandbox = this.#kept.get(key)
    const vm = sandbox?.vm ?? null
    if (sandbox === undefined || vm === null) return this.#runInNew(key, sandbox, plugin, tenant, call, watch)
    // The map is in the order of the latest calls.
    this.#kept.delete(key)
    this.#kept.set(key, sandbox)
    try {
      const outcome = vm.run(call, watch)
      if (outcome instanceof Promise) return this.#whenDone(key, sandbox, outcome, watch)
      return this.#judge(key, sandbox, outcome, watch)
    } catch (error) {
      return this.#broke(key, error, watch)
    }
  }

  async #runInNew(
    key: string,
    known: Sandbox | undefined,
    plugin: ThreadPlugin,
    tenant: string,
    call: PluginCall,
    watch: Watch,
  ): Promise<CallOutcome> {
    try {
      const quickJs = known?.quickJs ?? (await startQuickJs(plugin.memoryBytes))
      const vm = new Vm(quickJs, plugin, tenant)
      const sandbox = { quickJs, vm }
      this.#keep(key, sandbox)
      const loaded = await vm.load(watch)
      if (loaded.kind === 'loaded') return await this.#whenDone(key, sandbox, vm.run(call, watch), watch)
      const failure: CallOutcome =
        loaded.kind === 'not_a_plugin'
          ? { kind: 'unusable', what: `has ${loaded.missing}`, detail: null }
          : loaded
      return this.#judge(key, sandbox, failure, watch)
    } catch (error) {
      return this.#broke(key, error, watch)
    }
  }

  async #whenDone(
    key: string,
    sandbox: Sandbox,
    outcome: CallOutcome | Promise<CallOutcome>,
    watch: Watch,
  ): Promise<CallOutcome> {
    try {
      return this.#judge(key, sandbox, await outcome, watch)
    } catch (error) {
      return this.#broke(key, error, watch)
    }
  }

  /** Ends what a call failed in. The engine stays when nothing but the plugin's own code went wrong. */
  #judge(key: string, sandbox: Sandbox, outcome: CallOutcome, watch: Watch): CallOutcome {
    if (outcome.kind === 'messages' || outcome.kind === 'skipped') return outcome
    if (outcome.kind === 'threw' || outcome.kind === 'unusable') {
      watch.enter()
      sandbox.vm?.dispose()
      sandbox.vm = null
      watch.leave()
    } else {
      this.#kept.delete(key)
    }
    return outcome
  }

  /** The engine itself threw, as it does when the thread's stack is exhausted: it cannot even be ended properly. */
  #broke(key: string, error: unknown, watch: Watch): CallOutcome {
    watch.leave()
    this.#kept.delete(key)
    return brokenBy(error)
  }

  #keep(key: string, sandbox: Sandbox): void {
    this.#kept.set(key, sandbox)
    if (this.#kept.size <= MOST_KEPT) return
    for (const [oldest, { vm }] of this.#kept) {
      if (oldest === key || vm?.busy === true) continue
      this.#kept.delete(oldest)
      return
    }
  }
}

function brokenBy(error: unknown): Failure {
  if (error instanceof QuickJsMemoryError) return { kind: 'out_of_memory' }
  return { kind: 'broke', what: 'used more stack than the sandbox has' }
}
