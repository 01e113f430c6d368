import type { Clock } from '../contracts/clock.ts'
import type { Fetch } from './http-post.ts'

/** How far this machine's clock is ahead of those of destinations, by the `Date` header of their answers. */
export class PeerClocks {
  readonly #ahead = new Map<string, number>()

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  /** The same `fetch`, whose answers tell what time it is at `peer`. */
  watching(peer: string, fetch: Fetch): Fetch {
    return async (url, init) => {
      const response = await fetch(url, init)
      const ahead = clockAheadMs(response.headers, this.clock.now())
      if (ahead !== null) this.#ahead.set(peer, ahead)
      return response
    }
  }

  /** In ms; negative when this machine's clock is behind. Null before an answer that says it. */
  aheadOf(peer: string): number | null {
    return this.#ahead.get(peer) ?? null
  }
}

/** How far `now`, in ms since 1970, is ahead of an answer's `Date` header; null without one that can be read. */
export function clockAheadMs(headers: Headers, now: number): number | null {
  const there = Date.parse(headers.get('date') ?? '')
  return Number.isNaN(there) ? null : now - there
}
