import { SEGMENT_HEADERS, SEGMENT_PATH, startDaemon, WEBHOOK_HEADERS, WEBHOOK_PATH } from './daemon.ts'
import type { LoadPlan } from './load/plan.ts'
import type { BodyKind } from './load/requests.ts'
import { runLoad, startProgram } from './processes.ts'

/** Connections that send at once. */
export const CONNECTIONS = 64

/** Requests a second of one kind that a bare Bun.serve takes, which parses the same body and answers. */
export async function bareSpeed(body: BodyKind, seconds: number): Promise<number> {
  const bare = await startProgram('bare-server')
  try {
    return (await runLoad(asFastAsItGoes(bare.url, body, seconds))).perSecond
  } finally {
    await bare.stop()
  }
}

/** The same of the daemon, durable. Nobody listens at its destinations, which it seldom tries: only the way in is measured. */
export async function intakeSpeed(
  program: readonly string[],
  body: BodyKind,
  seconds: number,
): Promise<number> {
  const daemon = await startDaemon({ program, rate: 1 })
  try {
    return (await runLoad(asFastAsItGoes(daemon.url, body, seconds))).perSecond
  } finally {
    await daemon.stop()
  }
}

/** Sends as fast as it is answered, on all connections, to the route of what it sends. */
export function asFastAsItGoes(server: string, body: BodyKind, seconds: number): LoadPlan {
  const isWebhook = body === 'webhook'
  return {
    url: `${server}${isWebhook ? WEBHOOK_PATH : SEGMENT_PATH}`,
    headers: isWebhook ? WEBHOOK_HEADERS : SEGMENT_HEADERS,
    body,
    connections: CONNECTIONS,
    warmUpMs: seconds * 250,
    measureMs: seconds * 500,
    perSecond: null,
    sink: null,
    mostUndelivered: null,
    waitForArrivals: false,
  }
}
