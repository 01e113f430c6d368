import { Elysia } from 'elysia'
import type { Clock } from '../contracts/clock.ts'
import type { Health } from '../contracts/health.ts'
import { json } from './answers.ts'

export interface MonitoringParts {
  readonly health: () => Health
  readonly isStopping: () => boolean
  readonly clock: Pick<Clock, 'elapsed'>
  /** Metrics in Prometheus' text form, with their content type. */
  readonly metrics: (health: Health) => Promise<{ readonly text: string; readonly contentType: string }>
}

/** What monitoring asks: anybody may, and as often as they like, so that it costs something only now and then. */
export function monitoringRoutes({ health: read, isStopping, metrics, clock }: MonitoringParts) {
  const health = recent(read, clock)
  return new Elysia({ name: 'monitoring' })
    .get('/health', () => {
      const now = health()
      return json(now, now.status === 'down' ? 503 : 200)
    })
    .get('/livez', () => json({ status: 'ok' }))
    .get('/readyz', () => {
      if (isStopping()) return json({ status: 'stopping' }, 503)
      return health().status === 'down' ? json({ status: 'down' }, 503) : json({ status: 'ok' })
    })
    .get('/metrics', async () => {
      const { text, contentType } = await metrics(health())
      return new Response(text, { headers: { 'content-type': contentType } })
    })
}

/** An answer serves for so many times as long as it took: reading it takes a twentieth of the time at most. */
const SERVES_TIMES = 20

function recent(read: () => Health, clock: Pick<Clock, 'elapsed'>): () => Health {
  let last: { readonly health: Health; readonly until: number } | null = null
  return () => {
    const start = clock.elapsed()
    if (last !== null && start < last.until) return last.health
    const health = read()
    const end = clock.elapsed()
    // What takes a millisecond or two is always news, and so is whether it is still down.
    const isKept = end - start >= 2 && health.status !== 'down'
    last = isKept ? { health, until: end + (end - start) * SERVES_TIMES } : null
    return health
  }
}
