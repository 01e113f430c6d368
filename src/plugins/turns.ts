import type { PluginCall } from '../contracts/plugin-host.ts'
import type { CallOutcome } from './outcome.ts'

/** How long one plugin and tenant go on before the others have their turn, in milliseconds. */
const TURN_MS = 8

/** Calls to make one after the other. */
export interface Batch {
  readonly id: number
  readonly plugin: string
  readonly tenant: string
  readonly calls: readonly PluginCall[]
}

interface Line {
  readonly batches: Batch[]
  /** The next call of the first batch. */
  next: number
}

/**
 * Shares the thread between plugins and tenants: each pair is a line of batches, and lines have turns. A turn ends when its
 * time is over, after a call that failed, and when a call waits for something.
 */
export class Turns {
  readonly #run: (batch: Batch, index: number) => CallOutcome | Promise<CallOutcome>
  readonly #answer: (batch: Batch, outcomes: readonly CallOutcome[]) => void
  readonly #lines = new Map<string, Line>()
  /** Lines that could go on. */
  readonly #ready: Line[] = []
  #scheduled = false

  constructor(
    run: (batch: Batch, index: number) => CallOutcome | Promise<CallOutcome>,
    answer: (batch: Batch, outcomes: readonly CallOutcome[]) => void,
  ) {
    this.#run = run
    this.#answer = answer
  }

  add(batch: Batch): void {
    const key = `${batch.plugin}\n${batch.tenant}`
    const line = this.#lines.get(key)
    if (line !== undefined) {
      line.batches.push(batch)
      return
    }
    const started: Line = { batches: [batch], next: 0 }
    this.#lines.set(key, started)
    this.#queue(started)
  }

  #queue(line: Line): void {
    this.#ready.push(line)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#scheduled = false
    const line = this.#ready.shift()
    if (line === undefined) return
    this.#goOn(line)
    if (this.#ready.length > 0 && !this.#scheduled) {
      this.#scheduled = true
      setImmediate(() => this.#turn())
    }
  }

  #goOn(line: Line): void {
    const end = performance.now() + TURN_MS
    const batch = line.batches[0]
    if (batch === undefined) return
    const outcomes: CallOutcome[] = []
    while (line.next < batch.calls.length) {
      const outcome = this.#run(batch, line.next)
      if (outcome instanceof Promise) {
        this.#answer(batch, outcomes)
        void outcome.then((late) => {
          line.next += 1
          this.#answer(batch, [late])
          return this.#afterTurn(line, batch)
        })
        return
      }
      line.next += 1
      outcomes.push(outcome)
      const failed = outcome.kind !== 'messages' && outcome.kind !== 'skipped'
      if (failed || performance.now() >= end) break
    }
    this.#answer(batch, outcomes)
    this.#afterTurn(line, batch)
  }

  #afterTurn(line: Line, batch: Batch): void {
    if (line.next >= batch.calls.length) {
      line.batches.shift()
      line.next = 0
    }
    if (line.batches.length > 0) this.#queue(line)
    else this.#lines.delete(`${batch.plugin}\n${batch.tenant}`)
  }
}
