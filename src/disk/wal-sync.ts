import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs'
import type { Doubts } from './doubts.ts'

/** How a thread finds out whether what another one has committed is on the disk. */
export interface CommitDisk {
  readonly walPath: string
  /** The memory of `Doubts`. */
  readonly doubts: SharedArrayBuffer
}

/** Nobody can be sure that what was written is on the disk. */
export class SyncFailed extends Error {
  override readonly name = 'SyncFailed'
}

/**
 * Puts commits on the disk. SQLite writes each to the -wal, in order, and needs no sync to go on: so whoever has to
 * answer for a commit syncs it, while others are written. One sync serves all that was committed before it began. It is
 * the same call on the same file that SQLite makes within a commit under `synchronous = full`.
 */
export class WalSync {
  /** Opened once. Closing it takes no locks away: SQLite has none on the -wal. */
  #descriptor: number | null = null
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(
    private readonly path: string,
    private readonly doubts: Doubts,
  ) {}

  /**
   * Resolves once what has been committed is on the disk, by transactions that began when the count of doubts was
   * `doubts`. Rejects with SyncFailed. The system waits for the disk, on a thread of its own.
   */
  async onDisk(doubts: number): Promise<void> {
    await this.#sync()
    this.#expect(doubts)
  }

  /** The same at once: the whole thread waits for the disk. */
  sync(doubts: number): void {
    try {
      fdatasyncSync(this.#open())
    } catch (error) {
      throw this.#failed(error)
    }
    this.#expect(doubts)
  }

  /** To be called when nothing is committed any more. */
  close(): void {
    const descriptor = this.#descriptor
    this.#descriptor = null
    if (descriptor === null) return
    const close = () => closeSync(descriptor)
    if (this.#running === null) close()
    else void this.#running.then(close, close)
  }

  /** What is committed while one sync runs waits for the next: nobody knows whether the first has come past it. */
  #sync(): Promise<void> {
    if (this.#next !== null) return this.#next
    if (this.#running === null) return this.#begin()
    const begin = () => {
      this.#next = null
      return this.#begin()
    }
    this.#next = this.#running.then(begin, begin)
    return this.#next
  }

  #begin(): Promise<void> {
    this.#running = new Promise<void>((resolve, reject) => {
      const done = (error: unknown) => {
        this.#running = null
        if (error) reject(this.#failed(error))
        else resolve()
      }
      try {
        fdatasync(this.#open(), done)
      } catch (error) {
        done(error)
      }
    })
    return this.#running
  }

  #expect(doubts: number): void {
    if (this.doubts.count !== doubts)
      throw new SyncFailed('the disk failed before it confirmed what was written')
  }

  #failed(error: unknown): SyncFailed {
    this.doubts.add()
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    return new SyncFailed(`the disk did not confirm what was written to it${code}`, { cause: error })
  }

  #open(): number {
    this.#descriptor ??= openSync(this.path, 'r+')
    return this.#descriptor
  }
}
