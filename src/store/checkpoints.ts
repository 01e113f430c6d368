import type { Database } from 'bun:sqlite'
import { fdatasync, openSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { workerUrl } from '../threads/start-worker.ts'
import type { FileGuard } from './file-guard.ts'
import type { WalIndex } from './wal-index.ts'

/** At SQLite's default of 1000 pages, every few commits under load would write the file itself; this is 32 MB. */
const CHECKPOINT_PAGES = 8000
/** So little is copied in some milliseconds. */
const FEW_PAGES = 500
const MOST_ROUNDS = 3

/**
 * Copies the -wal into the database file when it has grown long. Not left to SQLite, which does it within a commit and
 * hides the errors of it. Most is copied and synced on another thread while this one goes on writing; only the rest
 * is copied here, when nothing is written meanwhile: then the -wal is whole in the file, and begins anew.
 */
export class Checkpoints {
  #worker: Worker | null = null
  /** How long it has to be. Who reads for long, such as a backup, keeps it from being copied: then it is left for longer. */
  #most = CHECKPOINT_PAGES
  #rounds = 0
  #isCopying = false
  #isClosed = false
  /** Of the database file. Never closed: that would take SQLite's locks away. See `WalIndex`. */
  #descriptor: number | null = null

  constructor(
    private readonly sqlite: Database,
    private readonly path: string,
    private readonly guard: FileGuard,
    private readonly index: WalIndex,
  ) {}

  /** Copies it if it is long. Not to be called within a transaction. */
  look(): void {
    if (this.index.pagesToCopy() >= this.#most) this.copy()
  }

  /** Copies it, however short it is. Not to be called within a transaction. */
  copy(): void {
    if (this.#isCopying || this.#isClosed) return
    this.#isCopying = true
    this.#rounds = 0
    this.#copyAside()
  }

  close(): void {
    this.#isClosed = true
    void this.#worker?.terminate()
  }

  #copyAside(): void {
    this.#rounds += 1
    try {
      this.#worker ??= this.#start()
      this.#worker.postMessage('copy')
    } catch {
      this.#finish()
    }
  }

  #start(): Worker {
    const worker = new Worker(workerUrl('store/checkpoint-worker.ts'), { workerData: this.path })
    worker.unref()
    worker.on('message', (isCopied: boolean) => (isCopied ? this.#syncFile() : this.#finish()))
    worker.on('error', () => {
      this.#worker = null
      if (this.#isCopying) this.#finish()
    })
    return worker
  }

  /** So that the last part does not have to wait until all of it is on the disk. */
  #syncFile(): void {
    try {
      this.#descriptor ??= openSync(this.path, 'r+')
      fdatasync(this.#descriptor, () => {
        if (this.#isClosed) return
        if (this.#rounds < MOST_ROUNDS && this.index.pagesToCopy() > FEW_PAGES) this.#copyAside()
        else this.#finish()
      })
    } catch {
      this.#finish()
    }
  }

  /** Copies what is left, and finds out what is wrong if the other thread could not. */
  #finish(): void {
    this.#isCopying = false
    if (this.#isClosed) return
    try {
      this.sqlite.query('pragma wal_checkpoint(passive)').get()
    } catch (error) {
      this.guard.note(error)
    }
    this.#most = this.index.pagesToCopy() + CHECKPOINT_PAGES
  }
}
