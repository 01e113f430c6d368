/** What has arrived at a stand-in, in order, and a way to wait for more of it without polling. */
export interface Arrivals<T> {
  readonly items: readonly T[]
  /**
   * Resolves as soon as `enough` holds, at once if it already does. Rejects with the signal's reason when that comes
   * first: `AbortSignal.timeout(5_000)` is a deadline.
   */
  until(enough: (items: readonly T[]) => boolean, signal: AbortSignal): Promise<void>
}

export interface ArrivalLog<T> extends Arrivals<T> {
  add(item: T): void
}

export function createArrivalLog<T>(): ArrivalLog<T> {
  const items: T[] = []
  const waiting = new Set<() => void>()
  return {
    items,
    add(item) {
      items.push(item)
      for (const look of waiting) look()
    },
    until(enough, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const look = () => {
        if (!enough(items)) return
        waiting.delete(look)
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = () => {
        waiting.delete(look)
        reject(signal.reason)
      }
      waiting.add(look)
      signal.addEventListener('abort', giveUp, { once: true })
      look()
      if (signal.aborted) giveUp()
      return promise
    },
  }
}
