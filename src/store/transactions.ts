import type { Database } from 'bun:sqlite'
import type { FileGuard } from './file-guard.ts'

/** At SQLite's default of 1000 pages, every few commits under load would write the file itself; this is 32 MB. */
const CHECKPOINT_PAGES = 8000

/** What a store does in one commit. */
export interface Transactions {
  /** All of `work` in one commit, or nothing of it when it throws; on the disk when it returns. Not to be nested. */
  transaction<T>(work: () => T extends PromiseLike<unknown> ? never : T): T
  /**
   * The same, but a power cut may undo it, with all that came after it. For what is then done again, to the same end;
   * the death of the process undoes nothing.
   */
  relaxedTransaction<T>(work: () => T extends PromiseLike<unknown> ? never : T): T
}

/** Runs transactions on an open database, and lets none of them be called safe that is not. */
export function transactions(sqlite: Database, guard: FileGuard): Transactions {
  const begin = sqlite.prepare('begin immediate')
  const commit = sqlite.prepare('commit')
  const rollback = sqlite.prepare('rollback')
  const syncing = new Syncing(sqlite)
  syncing.set('full')

  function run<T>(kind: 'full' | 'normal', work: () => T): T {
    try {
      guard.prepare()
      syncing.set(kind)
      begin.run()
    } catch (error) {
      guard.note(error)
      throw error
    }
    try {
      const result = work()
      commit.run()
      guard.confirm(kind === 'normal')
      return result
    } catch (error) {
      guard.note(error)
      undo()
      throw error
    }
  }

  function undo(): void {
    try {
      // SQLite has rolled back by itself after some faults, a full disk among them.
      if (sqlite.inTransaction) rollback.run()
    } catch {
      guard.leftOpen()
    }
  }

  /** For single statements too, which are commits of their own. */
  function tighten(): void {
    try {
      syncing.set('full')
    } catch {
      // The next transaction begins with it.
    }
  }

  return {
    transaction: (work) => run('full', work),
    relaxedTransaction(work) {
      try {
        return run('normal', work)
      } finally {
        tighten()
      }
    },
  }
}

/** Whether commits are synced. A fault of the disk can keep it from being changed: then the commit must not be made. */
class Syncing {
  #now: 'full' | 'normal' | null = null

  constructor(private readonly sqlite: Database) {}

  /** SQLite hides the errors of the checkpoints that it makes by itself: so they only follow commits that were synced. */
  set(kind: 'full' | 'normal'): void {
    if (this.#now === kind) return
    this.#now = null
    this.sqlite.run(`pragma synchronous = ${kind}`)
    this.sqlite.run(`pragma wal_autocheckpoint = ${kind === 'full' ? CHECKPOINT_PAGES : 0}`)
    this.#now = kind
  }
}
