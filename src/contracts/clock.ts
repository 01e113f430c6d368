/** Time as the parts see it, so that a test can own it. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Milliseconds since some moment; unlike `now` it is never set back or forward. */
  elapsed(): number
  /** Calls `work` once, `ms` milliseconds from now, unless cancelled before. */
  after(ms: number, work: () => void): Cancel
}

export type Cancel = () => void
