import type { PluginCall } from '../contracts/plugin-host.ts'
import type { CallOutcome, Failure } from './outcome.ts'
import type { ThreadPlugin } from './thread-messages.ts'

/**
 * A batch of calls that the sandbox's thread works on. It is sent in one part, unless the thread hung in one of its calls:
 * then what came before that call and was not answered yet is sent once more, and what comes after it follows.
 */
export class RunningBatch {
  readonly plugin: ThreadPlugin
  readonly tenant: string
  /** How many threads ended in a row while this batch waited, and not because of it. */
  starts = 0
  readonly #calls: readonly PluginCall[]
  readonly #outcomes: CallOutcome[] = []
  readonly #settle: (outcomes: readonly CallOutcome[]) => void
  /** By the number of the call. */
  readonly #blamed = new Map<number, Failure>()
  #partStart = 0
  #partEnd = 0

  constructor(
    plugin: ThreadPlugin,
    tenant: string,
    calls: readonly PluginCall[],
    settle: (outcomes: readonly CallOutcome[]) => void,
  ) {
    this.plugin = plugin
    this.tenant = tenant
    this.#calls = calls
    this.#settle = settle
  }

  /** The calls to send next; null when the batch is settled. */
  nextPart(): readonly PluginCall[] | null {
    for (;;) {
      const failure = this.#blamed.get(this.#outcomes.length)
      if (failure === undefined) break
      this.#outcomes.push(failure)
    }
    const start = this.#outcomes.length
    if (start >= this.#calls.length) {
      this.#settle(this.#outcomes)
      return null
    }
    const after = [...this.#blamed.keys()].filter((index) => index > start)
    this.#partStart = start
    this.#partEnd = Math.min(this.#calls.length, ...after)
    return this.#calls.slice(this.#partStart, this.#partEnd)
  }

  /** Takes the next outcomes, in order. Answers whether the part that was sent is done. */
  add(outcomes: readonly CallOutcome[]): boolean {
    this.starts = 0
    this.#outcomes.push(...outcomes)
    return this.#outcomes.length >= this.#partEnd
  }

  /** Fails a call of the part that was sent, by its number there: it is not sent again. */
  blame(index: number, failure: Failure): void {
    this.#blamed.set(this.#partStart + index, failure)
  }

  /** Fails what has no outcome yet. */
  giveUp(failure: Failure): void {
    const left = this.#calls.slice(this.#outcomes.length)
    this.#settle([...this.#outcomes, ...left.map(() => failure)])
  }
}
