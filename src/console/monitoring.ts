import { Elysia } from 'elysia'
import type { Health } from '../contracts/health.ts'
import { json } from './answers.ts'

export interface MonitoringParts {
  readonly health: () => Health
  readonly isStopping: () => boolean
  /** Metrics in Prometheus' text form, with their content type. */
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>
}

/** What monitoring asks. */
export function monitoringRoutes({ health, isStopping, metrics }: MonitoringParts) {
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
      const { text, contentType } = await metrics()
      return new Response(text, { headers: { 'content-type': contentType } })
    })
}
