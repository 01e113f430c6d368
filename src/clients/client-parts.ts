import type { Clock } from '../contracts/clock.ts'
import type { Fetch } from './http-post.ts'

/** What a client of either service is made of. */
export interface ClientParts {
  /** Base URL without a slash at its end, such as https://api.segment.io/v1. */
  readonly endpoint: string
  /** Segment's write key, or Refiner's API key. */
  readonly key: string
  readonly timeoutMs: number
  readonly fetch: Fetch
  readonly clock: Clock
  /** Waits for the next place among the requests per second; false when the signal came first. */
  readonly turn: (signal: AbortSignal) => Promise<boolean>
}
