import type { Database } from 'bun:sqlite'
import type { WalSync } from '../disk/wal-sync.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { FileGuard } from './file-guard.ts'

/** What a store does in one commit. */
export interface Transactions {
  /** All of `work` in one commit, or nothing of it when it throws; on the disk when it returns. Not to be nested. */
  transaction<T>(work: () => T extends PromiseLike<unknown> ? never : T): T
  /**
   * The same, but it does not wait for the disk: until the next sync a power cut may undo it, with all that came after
   * it. The death of the process undoes nothing.
   */
  relaxedTransaction<T>(work: () => T extends PromiseLike<unknown> ? never : T): T
}

/** What stands behind the transactions of an open database. */
export interface TransactionParts {
  readonly guard: FileGuard
  readonly wal: WalSync
  readonly checkpoints: Checkpoints
}

/** Runs transactions on an open database, and lets none of them be called safe that is not. */
export function transactions(sqlite: Database, { guard, wal, checkpoints }: TransactionParts): Transactions {
  const begin = sqlite.prepare('begin immediate')
  const commit = sqlite.prepare('commit')
  const rollback = sqlite.prepare('rollback')

  function run<T>(work: () => T): T {
    try {
      guard.prepare()
      begin.run()
    } catch (error) {
      guard.note(error)
      throw error
    }
    try {
      const result = work()
      commit.run()
      guard.committed()
      checkpoints.look()
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

  return {
    transaction(work) {
      const { count } = guard.doubts
      const result = run(work)
      try {
        wal.sync(count)
        guard.expectFiles()
      } catch (error) {
        guard.note(error)
        throw error
      }
      return result
    },
    relaxedTransaction: run,
  }
}
