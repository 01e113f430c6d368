import { WEBHOOK_HEADERS, WEBHOOK_PATH } from './daemon.ts'
import type { LoadPlan } from './load/plan.ts'

/**
 * Webhooks at a steady rate, whatever happens: what is answered late does not hold back the next one, and its delay
 * counts from when it was due.
 */
export function steadily(server: string, sink: string, perSecond: number, seconds: number): LoadPlan {
  return {
    url: server + WEBHOOK_PATH,
    headers: WEBHOOK_HEADERS,
    body: 'webhook',
    connections: 16,
    warmUpMs: 1000,
    measureMs: seconds * 1000,
    perSecond,
    sink,
    mostUndelivered: null,
    waitForArrivals: false,
  }
}
