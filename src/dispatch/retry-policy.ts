import type { DeliverySettings } from '../contracts/configuration.ts'

/** The longest pause that a destination can ask of a lane, in ms: a wrong header must not stop it for days. */
export const LONGEST_PAUSE_MS = 3_600_000

/**
 * How long to wait after failed attempt number `attempts` (1 for the first), in ms: doubling, within the configured
 * bounds, half of it by chance so that what failed together does not come back together. Never before what the
 * destination asked for. `random` is in [0, 1).
 */
export function backoffMs(
  settings: DeliverySettings,
  attempts: number,
  retryAfterMs: number | null,
  random: number,
): number {
  const doubled = settings.minBackoffMs * 2 ** Math.min(attempts - 1, 40)
  const bounded = Math.min(doubled, settings.maxBackoffMs)
  const jittered = bounded / 2 + (bounded / 2) * random
  return Math.max(jittered, boundedPause(retryAfterMs ?? 0))
}

/** Whether a delivery first attempted at `firstAttemptAt` has had its time. Both in ms since 1970. */
export function isExhausted(settings: DeliverySettings, firstAttemptAt: number, now: number): boolean {
  return now - firstAttemptAt >= settings.giveUpAfterMs
}

/** How long a lane pauses when the destination says that there are too many requests, in ms. */
export function throttlePauseMs(
  settings: DeliverySettings,
  pauses: number,
  retryAfterMs: number | null,
  random: number,
): number {
  if (retryAfterMs !== null) return boundedPause(retryAfterMs) + settings.minBackoffMs * random
  return Math.min(backoffMs(settings, pauses, null, random), LONGEST_PAUSE_MS)
}

function boundedPause(ms: number): number {
  return Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS)
}
