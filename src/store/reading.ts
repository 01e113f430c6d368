import type { Store } from './open.ts'

/**
 * Reads one state of the database with several queries, within a transaction or without one. Each query alone would take
 * and give back SQLite's lock, which costs more than most of them.
 */
export function reading<T>(store: Store, work: () => T extends PromiseLike<unknown> ? never : T): T {
  const { sqlite } = store
  if (sqlite.inTransaction) return work()
  sqlite.query('begin deferred').run()
  try {
    return work()
  } finally {
    sqlite.query('commit').run()
  }
}
