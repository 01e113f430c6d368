import type { Cancel, Clock } from '../contracts/clock.ts'
import type { RetentionSettings } from '../contracts/configuration.ts'
import type { Log } from '../observe/log.ts'
import { isBusy, type Store } from '../store/open.ts'
import { changesSoFar, emptyWal, removeOld, shrinkFile } from '../store/retention.ts'

/**
 * A step is a few milliseconds of work, but its commit may be the one that SQLite writes the -wal into the file with. So
 * the pause after it is ten times as long as it took, and this long at least.
 */
const PAUSE_MS = 50
const PAUSE_SHARE = 10
/** After a start there is more important work. */
const FIRST_MS = 10_000
const EVERY_MS = 10 * 60_000
/** So often everything is looked at again, not only what has come of age: what had been kept may be past its time. */
const WHOLE_EVERY_MS = 12 * 3_600_000
const BUSY_PAUSE_MS = 1000
/** Nothing has happened for so long: the -wal may be emptied. */
const IDLE_MS = 2000

type Phase = 'removing' | 'shrinking' | 'waiting until idle'

export interface HousekeeperParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly onError: (error: unknown) => void
}

/** Removes what is past its time and keeps the files small, in steps of some milliseconds with pauses between them. */
export class Housekeeper {
  #phase: Phase = 'removing'
  /** The last inbox item that was looked at. In memory: a start looks at everything. */
  #last = 0
  #wholeAt: number
  #removed = { items: 0, deliveries: 0 }
  #changes = 0
  #cancel: Cancel | null = null

  constructor(
    private readonly parts: HousekeeperParts,
    private retention: RetentionSettings,
  ) {
    this.#wholeAt = parts.clock.elapsed()
  }

  start(): void {
    if (this.#cancel === null) this.#next(FIRST_MS)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  /** From now on keeps as long as these say. */
  retain(retention: RetentionSettings): void {
    const { deliveredMs, deadMs } = this.retention
    this.retention = retention
    if (retention.deliveredMs === deliveredMs && retention.deadMs === deadMs) return
    this.#beginAgain()
    if (this.#cancel === null) return
    this.#cancel()
    this.#next(PAUSE_MS)
  }

  #beginAgain(): void {
    this.#phase = 'removing'
    this.#last = 0
    this.#wholeAt = this.parts.clock.elapsed()
  }

  #next(ms: number): void {
    this.#cancel = this.parts.clock.after(ms, () => {
      const { clock } = this.parts
      const began = clock.elapsed()
      let pause = EVERY_MS
      try {
        pause = this.#step()
      } catch (error) {
        // Somebody holds the file's lock: that passes.
        if (isBusy(error)) pause = BUSY_PAUSE_MS
        else this.parts.onError(error)
      }
      this.#next(Math.max(pause, PAUSE_SHARE * (clock.elapsed() - began)))
    })
  }

  /** Does one step; answers how long to wait for the next one. */
  #step(): number {
    const { store, clock } = this.parts
    switch (this.#phase) {
      case 'removing':
        return this.#remove()
      case 'shrinking':
        if (shrinkFile(store, clock)) return PAUSE_MS
        this.#phase = 'waiting until idle'
        this.#changes = changesSoFar(store)
        return IDLE_MS
      case 'waiting until idle':
        this.#phase = 'removing'
        if (changesSoFar(store) === this.#changes) emptyWal(store)
        return EVERY_MS
    }
  }

  #remove(): number {
    const { store, clock, log } = this.parts
    if (clock.elapsed() - this.#wholeAt >= WHOLE_EVERY_MS) this.#beginAgain()
    const { items, deliveries, last } = removeOld(store, {
      clock,
      retention: this.retention,
      after: this.#last,
    })
    this.#removed.items += items
    this.#removed.deliveries += deliveries
    if (last !== null) {
      this.#last = last
      return PAUSE_MS
    }
    if (this.#removed.items + this.#removed.deliveries > 0) {
      log.info(this.#removed, 'removed what is past its retention')
    }
    this.#removed = { items: 0, deliveries: 0 }
    this.#phase = 'shrinking'
    return PAUSE_MS
  }
}
