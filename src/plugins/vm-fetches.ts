import type { QuickJSContext, QuickJSDeferredPromise, QuickJSHandle } from 'quickjs-emscripten-core'
import { grantedFetch } from './granted-fetch.ts'

/** What a sandbox fetches for the call under way. */
export class VmFetches {
  readonly #context: QuickJSContext
  readonly #granted: readonly string[]
  /** By the promise that the plugin holds. */
  readonly #open = new Map<QuickJSDeferredPromise, Promise<void>>()
  #aborting = new AbortController()

  /** `granted` is `PluginPermissions.net`. */
  constructor(context: QuickJSContext, granted: readonly string[]) {
    this.#context = context
    this.#granted = granted
  }

  get count(): number {
    return this.#open.size
  }

  /** Starts one, with a request as `grantedFetch` takes it. Answers the promise for the plugin. */
  start(request: QuickJSHandle, leftMs: number): QuickJSHandle {
    const promise = this.#context.newPromise()
    const text = this.#context.getString(request)
    const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(leftMs)))
    const signal = AbortSignal.any([this.#aborting.signal, timeout])
    this.#open.set(promise, this.#settle(promise, grantedFetch(text, this.#granted, signal)))
    return promise.handle
  }

  /** Waits until one of them is settled. */
  async next(): Promise<void> {
    await Promise.race(this.#open.values())
  }

  /** Ends all of them: their promises stay open for ever. */
  end(): void {
    if (this.#open.size === 0) return
    for (const promise of this.#open.keys()) promise.dispose()
    this.#open.clear()
    this.#aborting.abort()
    this.#aborting = new AbortController()
  }

  async #settle(promise: QuickJSDeferredPromise, answer: Promise<string>): Promise<void> {
    try {
      const text = await answer
      if (this.#open.has(promise)) this.#context.newString(text).consume(promise.resolve)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (this.#open.has(promise)) this.#context.newError(message).consume(promise.reject)
    } finally {
      this.#open.delete(promise)
    }
  }
}
