import type { BodyKind } from './requests.ts'

/** What the load generator is to do. */
export interface LoadPlan {
  /** With the path. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: BodyKind
  readonly connections: number
  /** Before anything is counted. */
  readonly warmUpMs: number
  readonly measureMs: number
  /** Null: each connection sends again as soon as it is answered. Otherwise so many requests a second, whatever happens. */
  readonly perSecond: number | null
  /** Where the stand-in for Segment is; null where nothing is delivered that should be counted. */
  readonly sink: string | null
  /** Webhooks that may be acknowledged and not delivered before no more are sent; null: as many as there are. */
  readonly mostUndelivered: number | null
  /** Whether to wait, after the load, for what was acknowledged to arrive, and say how long each took. */
  readonly waitForArrivals: boolean
}

/** What came of it, within the time that was measured. */
export interface LoadResult {
  /** Requests answered 200 a second. */
  readonly perSecond: number
  /** From a request, or the moment when it should have been sent, to its answer. */
  readonly answerMs: Quantiles
  /** Webhooks with all their messages at the sink, a second; 0 without a sink. */
  readonly deliveredPerSecond: number
  /** Messages that arrived at the sink, a second; 0 without one. */
  readonly messagesPerSecond: number
  /** From the answer to the arrival of the track; null unless it was waited for. */
  readonly arrivalMs: Quantiles | null
}

export interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly most: number
}

/** The median, the value that one in a hundred exceeds, and the highest one; zeros without values. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), most: at(1) }
}

/** The median; 0 without values. */
export function median(values: readonly number[]): number {
  return quantiles(values).p50
}
