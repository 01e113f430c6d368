import { json, refusal } from './answers.ts'
import { DESTINATIONS, idOf, oneOf, unknownIn } from './query.ts'
import { type Tap, TAP_STATES } from './tap.ts'

/** Shorter than the server keeps a connection on which nothing happens. */
const LONGEST_WAIT_S = 8

/**
 * GET /api/tap?after=&wait=&tenant=&destination=&state=: what happened to deliveries after that number, as soon as
 * there is something, or after `wait` seconds without. Without `after` it says where to begin.
 */
export async function readTap(tap: Tap, query: URLSearchParams): Promise<Response> {
  const unknown = unknownIn(query, ['after', 'wait', 'tenant', 'destination', 'state'])
  if (unknown !== null) return refusal(400, unknown)
  const destination = oneOf(query, 'destination', DESTINATIONS)
  const state = oneOf(query, 'state', TAP_STATES)
  if (destination === undefined) return refusal(400, `destination is one of ${DESTINATIONS.join(', ')}`)
  if (state === undefined) return refusal(400, `state is one of ${TAP_STATES.join(', ')}`)
  const after = query.has('after') ? numberOf(query.get('after')!) : null
  const wait = idOf(query.get('wait') ?? String(LONGEST_WAIT_S))
  if (after === undefined || wait === null) return refusal(400, 'after and wait are numbers')
  const filter = { tenant: query.get('tenant'), destination, state }
  const answer = await tap.read(after, filter, Math.min(wait, LONGEST_WAIT_S) * 1000)
  return answer === null ? refusal(503, 'too many are reading along already') : json(answer)
}

function numberOf(text: string): number | undefined {
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined
}
