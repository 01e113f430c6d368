import { faultWords } from './fault-words.ts'
import type { Store } from './open.ts'

/**
 * Why the database takes no writes right now; null when it does. Tries it only where the last write failed, by what the
 * caller knows (`lastFailure`) or by what the store does; looks each time whether the files are in their places. Writes
 * nothing that stays.
 */
export function databaseFault(store: Store, lastFailure: string | null): string | null {
  const missing = store.guard.missing()
  if (missing !== null) return missing
  if (lastFailure === null && store.guard.fault === null) return null
  try {
    store.transaction(() => {
      // The same value again: a real write with a real commit.
      store.sqlite.run('pragma user_version = 0')
    })
    return null
  } catch (error) {
    return faultWords(error)
  }
}
