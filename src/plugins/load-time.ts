/** Loading happens once, and often while everything else starts: a slow moment must not refuse a plugin. */
const LEAST_MS = 1000

/** How long loading a plugin may take whose calls may take `timeoutMs`, in milliseconds. */
export function loadTime(timeoutMs: number): number {
  return Math.max(timeoutMs, LEAST_MS)
}
