import type { Store } from './open.ts'

/** Why the file takes no writes right now; null when it does. Writes nothing that stays. */
export function databaseFault(store: Store): string | null {
  try {
    store.transaction(() => {
      // The same value again: a real write with a real commit.
      store.sqlite.run('pragma user_version = 0')
    })
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
